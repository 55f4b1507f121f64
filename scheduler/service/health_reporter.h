#ifndef HYDRA_SCHEDULER_SERVICE_HEALTH_REPORTER_H_
#define HYDRA_SCHEDULER_SERVICE_HEALTH_REPORTER_H_

#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/clock/steady_event.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Whether a job that is submitted now is recorded, and gets a device sooner or
// later: the journals can be written (`journal`, and `trouble` of the core),
// and a worker is ready. Pure.
bool CanServe(const absl::Status& journal, const absl::Status& trouble,
              const std::vector<hydra::v1::WorkerStatus>& workers);

// Says on a thread of its own when that changes, at most a fifth of a second
// later. Thread-safe.
class HealthReporter {
 public:
  // Both are called on the thread, and before this returns; `report` only when
  // there is something new to say.
  HealthReporter(std::function<bool()> can_serve,
                 std::function<void(bool serving)> report);
  // Stops it.
  ~HealthReporter();

  // Reports that nothing is served, and ends. May be called again.
  void Stop();

 private:
  void Loop(bool reported);

  const std::function<bool()> can_serve_;
  const std::function<void(bool)> report_;
  SteadyEvent stop_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_HEALTH_REPORTER_H_
