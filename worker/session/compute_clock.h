#ifndef HYDRA_WORKER_SESSION_COMPUTE_CLOCK_H_
#define HYDRA_WORKER_SESSION_COMPUTE_CLOCK_H_

#include <ctime>
#include <optional>

#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Adds up how long the thread that computes had a task, and reads its CPU time.
//
// Not thread-safe, but any thread may use it. Belongs to the thread that makes
// it, which must outlive it.
class ComputeClock {
 public:
  ComputeClock();

  void BeginTask(absl::Time now) { began_ = now; }
  void EndTask(absl::Time now);

  // Sets the two times of `status`, a task under way included.
  void Fill(absl::Time now, worker::v1::DeviceStatus& status) const;

 private:
  clockid_t cpu_clock_;
  absl::Duration busy_;
  std::optional<absl::Time> began_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_COMPUTE_CLOCK_H_
