#include "client/watch/patience.h"

namespace hydra {

Patience::Patience(absl::Duration time, Interrupt* user)
    : forwards_(user, [this] { interrupt_.Trigger(); }), timer_([this, time] {
        if (not_needed_.WaitFor(time)) return;
        ended_.Notify();
        interrupt_.Trigger();
      }) {}

Patience::~Patience() {
  not_needed_.Notify();
  timer_.join();
}

}  // namespace hydra
