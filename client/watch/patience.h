#ifndef HYDRA_CLIENT_WATCH_PATIENCE_H_
#define HYDRA_CLIENT_WATCH_PATIENCE_H_

#include <thread>

#include "absl/time/time.h"
#include "client/connection/interrupt.h"
#include "common/clock/steady_event.h"

namespace hydra {

// An interrupt of its own that is triggered when the user's is, and when the
// time is over. Thread-safe. The user's interrupt outlives it.
class Patience {
 public:
  Patience(absl::Duration time, Interrupt* user);
  ~Patience();
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  Interrupt* interrupt() { return &interrupt_; }
  // Whether the time is over; that the user had enough does not count.
  bool ended() const { return ended_.HasHappened(); }

 private:
  Interrupt interrupt_;
  SteadyEvent ended_;
  SteadyEvent not_needed_;
  const Interrupt::Scope forwards_;
  std::thread timer_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_WATCH_PATIENCE_H_
