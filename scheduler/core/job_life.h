#ifndef HYDRA_SCHEDULER_CORE_JOB_LIFE_H_
#define HYDRA_SCHEDULER_CORE_JOB_LIFE_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/claims.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_archive.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/job_start.h"
#include "scheduler/core/quotas.h"
#include "scheduler/core/shared_bases.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// A job's way from one state to the next: it goes on as far as it can by
// itself, pauses, begins again, and ends. Not thread-safe; what it is given
// must outlive it.
class JobLife {
 public:
  struct Parts {
    const CoreOptions* options = nullptr;
    JobBook* book = nullptr;
    JobQueue* queue = nullptr;
    BlockTable* blocks = nullptr;
    Admission* admission = nullptr;
    Claims* claims = nullptr;
    SharedBases* bases = nullptr;
    JobArchive* archive = nullptr;
    Checkpoints* checkpoints = nullptr;
    JobStart* start = nullptr;
    Journal* journal = nullptr;
    Actions* actions = nullptr;
    Quotas* quotas = nullptr;
  };
  explicit JobLife(const Parts& parts) : parts_(parts) {}

  // Takes a job without outstanding tasks as far as it goes by itself.
  void Advance(Job& job, absl::Time now);
  // The same for some of the jobs that are awake in the queue.
  void AdvanceAwake(absl::Time now);
  // Jobs whose rest is over, and models that can be written again.
  void Tick(absl::Time now);
  // Some of the job's tasks are not outstanding any more.
  void OutstandingChanged(Job& job, absl::Time now);

  // --- What its user wants; whether that changes anything ---

  bool Cancel(Job& job, bool delete_checkpoints, absl::Time now);
  bool Pause(Job& job, absl::Time now);
  // The same for its room in the pool alone: it waits for room again, by
  // itself. Not what its user wants, who may pause or resume it meanwhile.
  bool YieldRoom(Job& job, absl::Time now);
  bool Resume(Job& job, absl::Time now);
  // It counts when a device chooses its next task.
  bool SetPriority(Job& job, int priority, absl::Time now);

  // --- Its end ---

  // Decides how the job ends; it has ended once nothing of it is outstanding.
  void End(Job& job, hydra::v1::JobState state, std::string reason,
           absl::Time now);
  void FinishEnding(Job& job, absl::Time now);
  // The outcome of a SaveRequest.
  void ModelSaved(Job& job, const absl::Status& status, absl::Time now);
  // Whether the job's model waits for room on the disk.
  bool WaitsForDisk(JobId job) const { return save_again_.contains(job); }

  // A checkpoint of the job could not be written: what waited for it goes on.
  void CheckpointFailed(Job& job, const absl::Status& why);
  // The job is as before PREPARE, PENDING or PAUSED, and will go on from its
  // newest checkpoint.
  void ResetToCheckpoint(Job& job, hydra::v1::JobState state);

 private:
  bool AdvanceOnce(Job& job, absl::Time now);
  // Whether it goes further.
  bool Take(Job& job, const JobStart::Outcome& outcome, absl::Time now);
  bool AdvanceFromPilot(Job& job, absl::Time now);
  bool AdvanceInChain(Job& job, absl::Time now);
  void BeginSaving(Job& job, absl::Time now);
  // Whether it pauses; `reason`: what it says until it has come to rest.
  bool BeginPause(Job& job, std::string reason, absl::Time now);
  // Whether a job without outstanding tasks pauses instead of going on.
  bool PauseHere(Job& job, absl::Time now);
  void EnterPause(Job& job);
  // Whether a job that is to begin again first waits until it is saved.
  bool SavesBeforeRestart(Job& job, absl::Time now);
  // It gives up where it is, and begins again from its newest checkpoint.
  void Restart(Job& job, absl::Time now);
  // False: the checkpoint that it should go on from does not fit; reset again.
  bool CanResumeInPartition(Job& job, absl::Time now);
  void EraseMetricsFrom(Job& job, int64_t first_step, int64_t first_evaluation);
  // Nothing of the job is in the pool or promised to it any more.
  void LeavePool(Job& job);

  const Parts parts_;
  // Jobs whose trained model waits for room on the disk.
  absl::btree_set<JobId> save_again_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_LIFE_H_
