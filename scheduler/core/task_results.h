#ifndef HYDRA_SCHEDULER_CORE_TASK_RESULTS_H_
#define HYDRA_SCHEDULER_CORE_TASK_RESULTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/claims.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_life.h"
#include "scheduler/core/job_start.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/shared_bases.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// What finished tasks made and measured, and what follows where one failed. Not
// thread-safe; what it is given must outlive it.
class TaskResults {
 public:
  struct Parts {
    const CoreOptions* options = nullptr;
    JobBook* book = nullptr;
    Roster* roster = nullptr;
    Hands* hands = nullptr;
    Claims* claims = nullptr;
    SharedBases* bases = nullptr;
    Checkpoints* checkpoints = nullptr;
    JobStart* start = nullptr;
    JobLife* life = nullptr;
    Journal* journal = nullptr;
    Actions* actions = nullptr;
  };
  explicit TaskResults(const Parts& parts) : parts_(parts) {}

  // Reports that came before change nothing.
  //
  // INTERNAL: the worker says what cannot be; nothing changed.
  absl::Status Take(WorkerRecord& worker,
                    const hydra::worker::v1::TaskReport& report,
                    absl::Time now);

 private:
  // Tells what became of the job's first task, which has begun.
  void Trace(WorkerRecord& worker, Job& job,
             const hydra::worker::v1::TaskReport& report, bool commits);
  void Commit(Job& job, const hydra::worker::v1::TaskReport& report,
              absl::Time now);
  void TakePilot(Job& job, const OutstandingTask& done,
                 const hydra::worker::v1::PilotResult& result, absl::Time now);
  void TakePass(Job& job, const OutstandingTask& done,
                const hydra::worker::v1::TaskReport& report, absl::Time now);
  static bool Trains(hydra::worker::v1::TaskKind kind);
  void AddStep(Job& job, const hydra::v1::StepMetrics& step);
  // What the task took goes to its step, and at the end of that to the job.
  void MeterStep(Job& job, const OutstandingTask& done,
                 const hydra::worker::v1::TaskCost& cost);
  void RecordPass(Job& job, const OutstandingTask& done,
                  const hydra::worker::v1::PassResult& result, absl::Time now);
  void RecordEvaluation(Job& job, const OutstandingTask& done,
                        const hydra::worker::v1::PassResult& result,
                        absl::Time now);
  void RecordNonfinite(Job& job, const OutstandingTask& done,
                       const hydra::worker::v1::PassResult& result,
                       absl::Time now);

  void Fail(Job& job, const hydra::worker::v1::TaskReport& report,
            absl::Time now);
  // The task is tried again later, if it was not too often already.
  bool TryAgain(Job& job, absl::string_view reason, absl::Time now);
  // The shards did not fit: a pilot cuts the model anew, if that may help.
  bool CutAnew(Job& job, absl::string_view reason, absl::Time now);
  // INIT could not read the checkpoint `path`.
  void TakeBadCheckpoint(Job& job, const std::string& path,
                         const hydra::worker::v1::TaskError& error,
                         absl::Time now);

  const Parts parts_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TASK_RESULTS_H_
