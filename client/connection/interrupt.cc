#include "client/connection/interrupt.h"

#include <utility>

namespace hydra {

Interrupt::Scope::Scope(Interrupt* interrupt, std::function<void()> on_trigger)
    : interrupt_(interrupt) {
  absl::MutexLock lock(&interrupt_->mu_);
  if (interrupt_->triggered()) on_trigger();
  position_ = interrupt_->listeners_.insert(interrupt_->listeners_.end(),
                                            std::move(on_trigger));
}

Interrupt::Scope::~Scope() {
  absl::MutexLock lock(&interrupt_->mu_);
  interrupt_->listeners_.erase(position_);
}

bool Interrupt::Trigger() {
  // Listeners are called under the lock, so none is called after its scope.
  absl::MutexLock lock(&mu_);
  if (triggered()) return false;
  triggered_.Notify();
  for (const auto& listener : listeners_) listener();
  return !listeners_.empty();
}

}  // namespace hydra
