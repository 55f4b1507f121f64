#include "scheduler/sim/agenda.h"

#include <utility>

namespace hydra {

void Agenda::At(absl::Duration delay, std::function<void()> event) {
  planned_.emplace(std::make_pair(now_ + delay, ++last_number_),
                   std::move(event));
}

void Agenda::RunNext() {
  const auto next = planned_.begin();
  now_ = next->first.first;
  const std::function<void()> event = std::move(next->second);
  planned_.erase(next);
  event();
  ++events_;
}

}  // namespace hydra
