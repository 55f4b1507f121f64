#ifndef HYDRA_SCHEDULER_CORE_CORE_H_
#define HYDRA_SCHEDULER_CORE_CORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/effects.h"
#include "scheduler/core/job.h"
#include "scheduler/core/once_per_key.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/runnable_queue.h"

namespace hydra {

// The scheduler: every job's and every worker's state, the block table, and the
// decisions. Events come in as calls, with the time; what follows from them
// goes out through Effects, Journal and the messages for workers. No I/O, no
// clock, no threads: the same events give the same decisions.
//
// Not thread-safe; one thread owns it. Policy, Journal and Effects are borrowed
// and must outlive it.
//
// How a task lives: it is handed out (its writes get fresh slots), perhaps
// withdrawn before it began, reported, and committed: only then do its writes
// become the blocks' current versions and the old slots free. A slot in a
// worker's hands is freed only when the worker has said that it dropped the
// task or is known to be dead.
class Core {
 public:
  struct Options {
    // The part of the pool file that slots are cut from.
    int64_t pool_first_byte = 0;
    int64_t pool_bytes = 0;
    std::vector<DeviceOptions> devices;
    // Tasks that a worker holds beside the one that it computes.
    int lookahead = 1;
    int64_t prefetch_bytes = 0;
    std::string token_cache_dir;
    // The first job's id; those before were given out by earlier daemons.
    uint64_t first_job = 1;
    // Job files may name paths below these directories; none: anywhere.
    std::vector<std::string> read_roots;
    // A worker whose stream ended has this long to attach again.
    absl::Duration lease = absl::Seconds(3);
    // A worker whose stream is open and says nothing has this long. It says
    // something every second.
    absl::Duration silence = absl::Seconds(30);
    // A job whose tasks killed a worker this often in a row has failed.
    int poison_crashes = 3;
    // Partitions that earlier pilots found.
    absl::flat_hash_map<std::string, hydra::v1::Partition> partitions;
  };

  Core(Options options, Policy* policy, Journal* journal, Effects* effects);

  // --- Clients ---

  // Queues the jobs of one sweep. With a request id that was seen before,
  // changes nothing and answers the sweep of then.
  // RESOURCE_EXHAUSTED: one of them can never fit the pool; none was queued.
  // UNAVAILABLE: the workers were told to stop.
  absl::StatusOr<SweepId> Submit(std::vector<NewJob> jobs,
                                 const std::string& request_id, absl::Time now);
  // The sweep that a request id was answered with.
  std::optional<SweepId> SweepOf(const std::string& request_id) const;
  // As Submit, but queues nothing.
  absl::Status CheckFits(const std::vector<NewJob>& jobs) const;
  // False: the job had ended already. Requires a known job.
  bool Cancel(JobId job, absl::Time now);

  // --- Workers ---

  void WorkerStarted(WorkerId worker, int64_t pid);
  // A message on the worker's stream; the first one attaches it.
  void WorkerReported(WorkerId worker,
                      const hydra::worker::v1::WorkerReport& report,
                      absl::Time now);
  void WorkerStreamEnded(WorkerId worker, absl::Time now);
  // The process is gone for certain: nobody writes into its slots any more.
  void WorkerDied(WorkerId worker, absl::Time now);
  // For leases; call it about once a second.
  void Tick(absl::Time now);
  // Every worker should finish the task it has begun, and end.
  void StopWorkers();

  // --- Outcomes of effects ---

  void ModelSaved(JobId job, const absl::Status& status, absl::Time now);

  // --- Reads ---

  // Null if unknown.
  const Job* FindJob(JobId job) const;
  // The ids of a sweep's jobs, ascending; empty if unknown.
  std::vector<JobId> JobsOf(SweepId sweep) const;
  // Newest sweep first.
  std::vector<SweepId> Sweeps() const;
  std::vector<hydra::v1::WorkerStatus> Workers(absl::Time now) const;
  int64_t pool_used_bytes() const { return blocks_.used_bytes(); }
  int64_t pool_reserved_bytes() const { return admission_.reserved_bytes(); }

  // CHECKs what must always hold; for tests.
  void CheckInvariants() const;

 private:
  // core.cc: the life of a job.
  Job& JobOf(JobId job);
  // Takes a job without outstanding tasks as far as it goes by itself.
  void Advance(Job& job, absl::Time now);
  bool AdvanceOnce(Job& job, absl::Time now);
  bool AdvanceFromPrepare(Job& job);
  bool AdvanceFromPilot(Job& job);
  bool AdvanceFromAdmission(Job& job, absl::Time now);
  bool AdvanceInChain(Job& job, absl::Time now);
  void BeginSaving(Job& job, absl::Time now);
  void AdvanceWaiting(absl::Time now);
  void WaitFor(Job& job, std::string reason);
  void Enqueue(Job& job);
  void SetPartition(Job& job, hydra::v1::Partition partition);
  std::string PrepareKey(const Job& job) const;
  std::string PilotKey(const Job& job) const;
  // Decides how the job ends; it has ended once nothing of it is outstanding.
  void EndJob(Job& job, hydra::v1::JobState state, std::string reason,
              absl::Time now);
  void FinishEnding(Job& job, absl::Time now);
  void Touch(Job& job) { job.revision = ++last_revision_; }
  void Log(const Job& job, const char* severity, absl::string_view text,
           absl::Time now, const OutstandingTask* task = nullptr);

  // core_workers.cc: what workers say.
  WorkerRecord& WorkerOf(WorkerId worker);
  void TakeReport(WorkerRecord& worker,
                  const hydra::worker::v1::TaskReport& report, absl::Time now);
  void TakeHeld(WorkerRecord& worker,
                const hydra::worker::v1::WorkerReport& report, absl::Time now);
  void TakeLogLines(WorkerRecord& worker,
                    const hydra::worker::v1::WorkerReport& report);
  void Commit(Job& job, const hydra::worker::v1::TaskReport& report,
              absl::Time now);
  void CommitResult(Job& job, const OutstandingTask& done,
                    const hydra::worker::v1::TaskReport& report,
                    absl::Time now);
  void RecordPass(Job& job, const OutstandingTask& done,
                  const hydra::worker::v1::PassResult& result, absl::Time now);
  // Nobody runs or writes the task any more: out of its worker's hand, its
  // slots free. The caller takes it out of the job's outstanding ones.
  void Release(const Job& job, const OutstandingTask& task);
  // Forgets the job's outstanding tasks from `first` on; their slots are free.
  void Abandon(Job& job, size_t first);
  void AfterOutstandingChanged(Job& job, absl::Time now);

  // core_dispatch.cc: who gets what.
  int HandSize() const { return 1 + options_.lookahead; }
  bool CanRun(const WorkerRecord& worker, const Job& job) const;
  bool Withdrawable(const Job& job) const;
  // Hands out what can be handed out, and tells the workers.
  void Dispatch(absl::Time now);
  void Assign(absl::Time now);
  bool FillEmptyHand(WorkerRecord& worker, absl::Time now);
  void WithdrawPromiseFor(const WorkerRecord& worker);
  bool LookAhead(WorkerRecord& worker, bool take_idle_jobs, absl::Time now);
  Job* BestSuccessor(const WorkerRecord& worker);
  // False: the pool has no room for its writes now.
  bool HandOut(Job& job, WorkerRecord& worker, absl::Time now);
  void Withdraw(Job& job);
  std::optional<OutstandingTask> MakeTask(Job& job);
  const Version* NewestVersion(const Job& job, const BlockKey& key) const;
  hydra::worker::v1::JobContext ContextOf(const Job& job) const;
  DesiredKey DesiredKeyOf(const WorkerRecord& worker) const;
  hydra::worker::v1::DesiredState MakeDesired(const WorkerRecord& worker);
  void SendDesired(WorkerRecord& worker);

  const Options options_;
  Policy* const policy_;
  Journal* const journal_;
  Effects* const effects_;

  BlockTable blocks_;
  Admission admission_;
  absl::btree_map<JobId, Job> jobs_;
  absl::btree_map<SweepId, std::vector<JobId>> sweeps_;
  absl::flat_hash_map<std::string, SweepId> requests_;
  std::vector<WorkerRecord> workers_;
  // Jobs that wait for another job's result, or for room in the pool.
  absl::btree_set<JobId> waiting_;
  OncePerKey<std::vector<hydra::worker::v1::PreparedSplit>> prepared_;
  OncePerKey<hydra::v1::Partition> partitions_;
  // Something happened that a waiting job may have waited for.
  bool waiting_may_go_on_ = false;
  bool stopping_ = false;
  uint64_t last_task_ = 0;
  uint64_t last_revision_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CORE_H_
