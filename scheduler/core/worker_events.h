#ifndef HYDRA_SCHEDULER_CORE_WORKER_EVENTS_H_
#define HYDRA_SCHEDULER_CORE_WORKER_EVENTS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_life.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/task_results.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// What workers say, and what their silence says. Not thread-safe; what it is
// given must outlive it.
class WorkerEvents {
 public:
  struct Parts {
    const CoreOptions* options = nullptr;
    JobBook* book = nullptr;
    Roster* roster = nullptr;
    Hands* hands = nullptr;
    TaskResults* results = nullptr;
    JobLife* life = nullptr;
    Journal* journal = nullptr;
    Actions* actions = nullptr;
  };
  explicit WorkerEvents(const Parts& parts) : parts_(parts) {}

  void Reported(WorkerRecord& worker,
                const hydra::worker::v1::WorkerReport& report, absl::Time now);
  // See LogLinesTaken.
  static void LogLinesKept(WorkerRecord& worker, absl::string_view session,
                           uint64_t sequence);
  void Died(WorkerRecord& worker, absl::string_view how, absl::Time now);

 private:
  absl::Status TakeHeld(WorkerRecord& worker,
                        const hydra::worker::v1::WorkerReport& report,
                        absl::Time now);
  void TakeLogLines(WorkerRecord& worker,
                    const hydra::worker::v1::WorkerReport& report);

  const Parts parts_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WORKER_EVENTS_H_
