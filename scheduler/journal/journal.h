#ifndef HYDRA_SCHEDULER_JOURNAL_JOURNAL_H_
#define HYDRA_SCHEDULER_JOURNAL_JOURNAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/ids/ids.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// What the scheduler must not forget, in the order in which it happened. The
// core appends before anyone outside learns of what it appends: a submission
// before it is acknowledged, a hand-out before the worker is told, a commit
// before the report is acknowledged and the old slots are free.
//
// Called from the core's thread alone; no call blocks. Records are borrowed for
// the call.
class Journal {
 public:
  virtual ~Journal() = default;

  virtual void JobSubmitted(JobId job, SweepId sweep,
                            const std::string& request_id,
                            const hydra::v1::JobSpec& spec) = 0;
  virtual void JobStateChanged(JobId job, hydra::v1::JobState state,
                               const std::string& reason) = 0;
  // The slots in `task` belong to `worker` until it drops them or is dead.
  virtual void TaskHandedOut(WorkerId worker,
                             const hydra::worker::v1::Task& task) = 0;
  // The versions that the task made are the blocks' current ones.
  virtual void TaskCommitted(const hydra::worker::v1::TaskReport& report) = 0;
  // The task goes back into the queue; nothing of it is kept.
  virtual void TaskAbandoned(TaskId task) = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_JOURNAL_H_
