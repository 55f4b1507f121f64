#include "scheduler/daemon/watchdog.h"

#include <utility>

namespace hydra {

Watchdog::Watchdog(absl::Duration every, std::function<bool()> is_well,
                   std::function<void()> say)
    : thread_(
          [this, every, is_well = std::move(is_well), say = std::move(say)] {
            do {
              if (is_well()) say();
            } while (!stopped_.WaitFor(every));
          }) {}

Watchdog::~Watchdog() {
  stopped_.Notify();
  thread_.join();
}

}  // namespace hydra
