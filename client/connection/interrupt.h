#ifndef HYDRA_CLIENT_CONNECTION_INTERRUPT_H_
#define HYDRA_CLIENT_CONNECTION_INTERRUPT_H_

#include <functional>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"

namespace hydra {

// Remembers that the user wants the program to end, and tells whoever would
// otherwise wait. Thread-safe. It knows nothing of signals: main's signal
// thread, or a test, calls Trigger().
class Interrupt {
 public:
  // While it lives, `on_trigger` is called when the interrupt is triggered, at
  // once if it already was, at most once, from whichever thread triggers. It
  // may not use the interrupt. The interrupt outlives it.
  class Scope {
   public:
    Scope(Interrupt* interrupt, std::function<void()> on_trigger);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt* const interrupt_;
    std::list<std::function<void()>>::iterator position_;
  };

  // Returns whether anybody was told. Only the first call does anything.
  bool Trigger() ABSL_LOCKS_EXCLUDED(mu_);

  bool triggered() const { return triggered_.HasHappened(); }

  // Waits; returns at once when triggered. Returns triggered().
  bool WaitFor(absl::Duration duration) const {
    return triggered_.WaitFor(duration);
  }

 private:
  SteadyEvent triggered_;
  absl::Mutex mu_;
  std::list<std::function<void()>> listeners_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_INTERRUPT_H_
