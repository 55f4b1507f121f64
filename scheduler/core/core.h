#ifndef HYDRA_SCHEDULER_CORE_CORE_H_
#define HYDRA_SCHEDULER_CORE_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_deletion.h"
#include "scheduler/core/job_plan.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/submission_ledger.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/recovered.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

struct CoreParts;

// The scheduler: events come in as calls, with the time; what follows from them
// comes out as actions and as records for the Journal. No I/O, no clock, no
// threads: the same events give the same decisions. It decides nothing itself:
// an event goes to the part that owns what it is about (core_parts.h).
//
// Whoever runs it makes turns: the events that came, EndTurn, then what
// journal.h says, TakeActions among it.
//
// Not thread-safe; one thread owns it. Policy and Journal are borrowed and must
// outlive it.
//
// How a task lives: it is handed out (its writes get fresh slots), perhaps
// withdrawn before it began, reported, and committed: only then do its writes
// become the blocks' current versions and the old slots free.
class Core {
 public:
  using Options = CoreOptions;

  Core(Options options, Policy* policy, Journal* journal);
  ~Core();

  // Goes on where an earlier daemon was; call it first. Every worker in
  // `recovered` is alive, and no other process writes into the pool.
  //
  // DATA_LOSS: the journals contradict themselves; this core is of no use.
  absl::Status Restore(const Recovered& recovered, absl::Time now);

  // --- Clients ---

  // Takes in the jobs of one sweep, which begin when they are recorded. With a
  // request id that was seen before, changes nothing and answers as then. Takes
  // `jobs` away only if it queues them.
  //
  // ALREADY_EXISTS: as CheckRepeats.
  // RESOURCE_EXHAUSTED: one of them can never fit the pool, or they are more
  //   than their user may have (quotas.h); none was queued.
  // UNAVAILABLE: the daemon is stopping.
  absl::StatusOr<Submission> Submit(std::vector<NewJob>&& jobs,
                                    const RequestKey& request, absl::Time now);
  // The submission that a request id was answered with.
  std::optional<Submission> SubmissionOf(const RequestKey& request) const;
  // As Submit, but queues nothing. What the job that needs most takes of the
  // pool, at least.
  absl::StatusOr<hydra::v1::PoolDemand> CheckFits(
      const std::vector<NewJob>& jobs) const;
  // These answer which of the jobs they changed, in the same order, and leave
  // the others as they are, and unknown ones but for Delete.
  //
  // Ends jobs that have not ended.
  std::vector<JobId> Cancel(const std::vector<JobId>& jobs,
                            bool delete_checkpoints, absl::Time now);
  // Forgets jobs that have ended, for ever: their records, logs and checkpoints
  // go. Not those that have not ended, and not one whose checkpoint is being
  // written.
  struct Deleted {
    std::vector<JobId> jobs;
    // They are gone from jobs.db once so much is recorded.
    uint64_t sequence = 0;
  };
  Deleted Delete(const std::vector<EndedJob>& jobs);
  // Not those that are paused or pausing, or near their end.
  std::vector<JobId> Pause(const std::vector<JobId>& jobs, absl::Time now);
  // Those that are paused or pausing.
  std::vector<JobId> Resume(const std::vector<JobId>& jobs, absl::Time now);
  // Not those that have it already, or have ended.
  std::vector<JobId> SetPriority(const std::vector<JobId>& jobs, int priority,
                                 absl::Time now);

  // --- Operators ---

  // As Drains'.
  //
  // NOT_FOUND: no such device; nothing was changed.
  absl::StatusOr<bool> DrainDevices(const std::vector<std::string>& devices,
                                    const std::optional<std::string>& reason);
  bool SetMaintenance(const std::optional<std::string>& reason);

  // Users' weights and quotas from now on. What they have they keep; what waits
  // for a quota is looked at again.
  void SetUserLimits(const ShareOptions& shares, const QuotaOptions& quotas);

  // --- Workers ---

  void WorkerStarted(WorkerId worker,
                     const journal::v1::WorkerProcess& process);
  // A message on the worker's stream; the first one attaches it.
  void WorkerReported(WorkerId worker,
                      const hydra::worker::v1::WorkerReport& report,
                      absl::Time now);
  void WorkerStreamEnded(WorkerId worker, absl::Time now);
  // The process is gone for certain: nobody writes into its slots any more.
  // `how` it ended, for people.
  void WorkerDied(WorkerId worker, absl::string_view how, absl::Time now);
  // For leases, stuck tasks, models to write again and old jobs to forget; call
  // it about once a second.
  void Tick(absl::Time now);

  // --- The end of a turn ---

  // Decides what follows from the turn's events: jobs that waited for them go
  // on, and devices get tasks.
  //
  // An event may concern thousands of jobs: the end of its turn sees to some of
  // them. While has_more_work(), another turn should follow, with the events
  // that came meanwhile.
  void EndTurn(absl::Time now);
  bool has_more_work() const;
  // What is to be done outside, since it was asked last. Call it when the turn
  // is recorded.
  Actions TakeActions();

  // --- Stopping ---

  // Hands out nothing more, lets begun tasks end, and writes checkpoints of
  // all running jobs. Goes on until parked().
  void Park();
  bool parked() const;
  // Every worker should finish the task it has begun, and end.
  void StopWorkers();

  // --- Outcomes of actions ---

  // Everything up to this sequence number is in jobs.db.
  void Recorded(uint64_t sequence);
  // jobs.db has no room for this submission.
  void SubmissionRefused(uint64_t sequence);
  // See LogLinesTaken. Of a session that has ended, nothing follows.
  void LogLinesKept(WorkerId worker, absl::string_view session,
                    uint64_t sequence);
  void ModelSaved(JobId job, const absl::Status& status, absl::Time now);
  // The request's block number `index` is written; they come in order.
  void CheckpointBlockWritten(JobId job, size_t index);
  // With the bytes that it takes on the disk.
  void CheckpointWritten(JobId job, const absl::StatusOr<int64_t>& bytes,
                         absl::Time now);

  // --- Reads ---

  const JobBook& jobs() const;
  std::vector<hydra::v1::WorkerStatus> Workers(absl::Time now) const;
  // As JobBook's.
  JobBook::Changes TakeChanges(size_t most);
  struct PoolUse {
    int64_t used_bytes = 0;
    int64_t reserved_bytes = 0;
  };
  PoolUse pool() const;
  // The server is in maintenance, for this reason.
  const std::optional<std::string>& maintenance() const;
  // What users have used of the devices.
  const ShareLedger& shares() const;
  // For its own devices.
  PlanLimits plan_limits() const;
  const Options& options() const;

  // CHECKs what must always hold; for tests.
  void CheckInvariants() const;

 private:
  std::unique_ptr<CoreParts> parts_;
  bool parking_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CORE_H_
