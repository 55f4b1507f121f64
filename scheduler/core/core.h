#ifndef HYDRA_SCHEDULER_CORE_CORE_H_
#define HYDRA_SCHEDULER_CORE_CORE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/change_log.h"
#include "scheduler/core/effects.h"
#include "scheduler/core/job.h"
#include "scheduler/core/once_per_key.h"
#include "scheduler/core/shared.h"
#include "scheduler/core/submission_ledger.h"
#include "scheduler/core/wait_list.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/core/writer_queue.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/recovered.h"
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
    // How often daemons were started on this state before; task, version and
    // message numbers of different ones never meet.
    uint64_t generation = 0;
    // Job files may name paths below these directories; none: anywhere.
    std::vector<std::string> read_roots;
    // A worker whose stream ended has this long to attach again.
    absl::Duration lease = absl::Seconds(3);
    // A worker whose stream is open and says nothing has this long. It says
    // something every second.
    absl::Duration silence = absl::Seconds(3);
    // A job whose tasks killed a worker this often in a row has failed, once
    // they did so on two devices, or on every one that there is.
    int poison_crashes = 3;
    // A device that is to blame for the deaths of its worker gets no task for
    // so long; for longer if that does not help.
    absl::Duration quarantine = absl::Minutes(1);
    // A device that was not there for so long is not waited for.
    absl::Duration absence = absl::Minutes(1);
    // A task that does not get on for so many times longer than it should take
    // as a whole, and at least so long, is killed with its worker. Of one whose
    // worker reports no progress, that is all of its time.
    double watchdog_factor = 20;
    absl::Duration watchdog_floor = absl::Seconds(30);
    // Without getting on, for tasks that nothing estimates: PREPARE, PILOT,
    // INIT.
    absl::Duration watchdog_unmeasured = absl::Hours(1);
    // A process that was started has this long to attach: it may have much
    // memory to map and a driver to wait for.
    absl::Duration start_patience = absl::Minutes(10);
    // The part of the pool that is promised to jobs, in tenths. The rest is for
    // fragmentation: with real block sizes a best-fit pool needed up to 1.07
    // times its live bytes (docs/benchmarks.md).
    int promised_tenths = 9;
    // A job that had no task in a hand for so long says what it waits for, and
    // again after as long.
    absl::Duration wait_to_explain = absl::Seconds(5);
    // A task that failed for a reason that may pass is tried again so often,
    // after a second, then two, four and so on: for about a minute.
    int task_retries = 6;
    // After a checkpoint that could not be written.
    absl::Duration checkpoint_retry = absl::Minutes(1);
    // A job that found the writer of checkpoints taken at the end of a step,
    // and was due for so long, or whose steps take so long, waits for it there.
    absl::Duration checkpoint_patience = absl::Minutes(1);
    // It does not wait for a checkpoint that takes longer to write.
    absl::Duration longest_write = absl::Minutes(10);
    // After a trained model for which the disk had no room.
    absl::Duration save_retry = absl::Seconds(10);
    // Waiting jobs that one event looks at; see ContinueWork.
    int advances_in_one_go = 50;
    // Ended jobs that stay in memory, at least; older ones are in jobs.db
    // alone.
    int64_t kept_ended_jobs = 10'000;
    // Of those, how many keep all of their steps.
    int64_t kept_step_lists = 100;
    // Partitions that earlier pilots found.
    absl::flat_hash_map<std::string, hydra::v1::Partition> partitions;
  };

  Core(Options options, Policy* policy, Journal* journal, Effects* effects);

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
  // RESOURCE_EXHAUSTED: one of them can never fit the pool; none was queued.
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
  // the others and unknown ones as they are. What follows for other jobs is
  // decided once for all of them.
  //
  // Ends jobs that have not ended.
  std::vector<JobId> Cancel(const std::vector<JobId>& jobs,
                            bool delete_checkpoints, absl::Time now);
  // Not those that are paused or pausing, or near their end.
  std::vector<JobId> Pause(const std::vector<JobId>& jobs, absl::Time now);
  // Those that are paused or pausing.
  std::vector<JobId> Resume(const std::vector<JobId>& jobs, absl::Time now);

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

  // --- Long work ---

  // An event may concern thousands of jobs: it sees to some of them, and here
  // to some more. Call it in a later turn while has_more_work(), so that other
  // events come between.
  void ContinueWork(absl::Time now);
  bool has_more_work() const {
    return waiting_.has_next() || unmade_jobs_ > 0 || !to_explain_.empty() ||
           !to_forget_.empty();
  }

  // --- Stopping ---

  // Hands out nothing more, lets begun tasks end, and writes checkpoints of
  // all running jobs. Goes on until parked().
  void Park(absl::Time now);
  bool parked() const;
  // Whether every job that has not ended can go on without the pool and lose
  // nothing.
  bool AllSaved() const;
  // Every worker should finish the task it has begun, and end.
  void StopWorkers();

  // --- Outcomes of effects ---

  // Everything up to this sequence number is in jobs.db.
  void Recorded(uint64_t sequence, absl::Time now);
  // jobs.db has no room for this submission.
  void SubmissionRefused(uint64_t sequence);
  void ModelSaved(JobId job, const absl::Status& status, absl::Time now);
  // The request's block number `index` is written; they come in order.
  void CheckpointBlockWritten(JobId job, size_t index, absl::Time now);
  // With the bytes that it takes on the disk.
  void CheckpointWritten(JobId job, const absl::StatusOr<int64_t>& bytes,
                         absl::Time now);

  // --- Reads ---

  // Null if unknown, or ended so long ago that only jobs.db knows it.
  const Job* FindJob(JobId job) const;
  // The ids of a sweep's jobs, ascending; empty if FindJob knows none of them.
  std::vector<JobId> JobsOf(SweepId sweep) const;
  // Newest sweep first.
  std::vector<SweepId> Sweeps() const;
  std::vector<hydra::v1::WorkerStatus> Workers(absl::Time now) const;
  // What clients see changed in these jobs, the oldest changes first, at most
  // `most` jobs; and these sweeps are forgotten. Each is told once.
  struct Changes {
    std::vector<JobId> jobs;
    std::vector<SweepId> forgotten;
    // ChangeLog::taken.
    uint64_t taken = 0;
  };
  Changes TakeChanges(size_t most);
  bool has_changes() const { return !changes_.empty(); }
  // ChangeLog::noted.
  uint64_t changes_noted() const { return changes_.noted(); }
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
  bool AdvanceFromPrepare(Job& job, absl::Time now);
  // The job's data is prepared, by itself or by another job of the sweep.
  void TakePrepared(Job& job, const hydra::worker::v1::PrepareResult& prepared,
                    absl::Time now);
  void LogSharedPreparation(const Job& job, absl::Time now);
  bool AdvanceFromPilot(Job& job, absl::Time now);
  bool AdvanceFromAdmission(Job& job, absl::Time now);
  bool AdvanceInChain(Job& job, absl::Time now);
  void NoteChange(Job& job);
  void AdvanceWaiting(absl::Time now);
  // It is PENDING for `reason`; the caller notes in waiting_ what for.
  void SetWaiting(Job& job, std::string reason);
  // Another job may do what this one claimed to do for all.
  void AbandonClaims(const Job& job);
  void Enqueue(Job& job, absl::Time now);
  void WakeRested(absl::Time now);
  void BeginTimes(Job& job);
  // `limit_bytes`: of the device that it was found on; 0: given by hand.
  void SetPartition(Job& job, hydra::v1::Partition partition,
                    int64_t limit_bytes);
  std::string PrepareKey(const Job& job) const;
  // What jobs wait for while another one prepares their data.
  std::string PrepareWait(const Job& job) const;
  // Where the job's pilot should run: what fits there fits everywhere.
  const DeviceOptions& PilotDevice(const Job& job) const;
  // Of a pilot on this device.
  std::string PilotKey(const Job& job, const DeviceOptions& device) const;
  void Touch(const Job& job) { changes_.Note(job.id); }
  void Log(const Job& job, const char* severity, absl::string_view text,
           absl::Time now, const OutstandingTask* task = nullptr);

  // core_waits.cc: what jobs in the queue wait for.
  // Those that waited for a while say it: every so often all of them, some in a
  // turn.
  void BeginExplaining(absl::Time now);
  void ExplainSomeWaits(absl::Time now);
  void ExplainWait(Job& job, std::string reason);
  // `ahead`: how many jobs go first.
  std::string WhatItWaitsFor(const Job& job, int64_t ahead);
  // Of the jobs in hands, the remaining times, longest first.
  std::vector<absl::Duration> RemainingInHands();

  // core_submit.cc: new jobs.
  struct Unrecorded;
  // Up to `most` more of the submission's jobs.
  void MakeJobs(Unrecorded& entry, size_t most);
  void MakeSomeJobs();
  void FillJob(JobId id, SweepId sweep, NewJob submitted, Job& job);
  Shared<std::string> SharedText(const std::string& text);

  // core_ending.cc: the end of a job, and what stays of it.
  bool CancelOne(Job& job, bool delete_checkpoints, absl::Time now);
  void BeginSaving(Job& job, absl::Time now);
  // Decides how the job ends; it has ended once nothing of it is outstanding.
  void EndJob(Job& job, hydra::v1::JobState state, std::string reason,
              absl::Time now);
  void FinishEnding(Job& job, absl::Time now);
  // What an ended job needs no more goes.
  void Archive(Job& job);
  // One more of its jobs has ended.
  void NoteEnded(SweepId sweep);
  void ForgetOldSweeps();
  void ForgetSomeJobs();

  // core_checkpoint.cc: checkpoints, pausing, going on.
  bool PauseOne(Job& job, absl::Time now);
  bool ResumeOne(Job& job, absl::Time now);
  void MaybeBeginCheckpoint(Job& job, absl::Time now);
  bool MustNotMissTheWriter(const Job& job, absl::Time due,
                            absl::Time end) const;
  bool HoldsBeforeStep(const Job& job, const ChainPosition& next,
                       absl::Time now) const;
  void LeaveStuckWriter(absl::Time now);
  void OfferWriter(absl::Time now);
  void BeginCheckpoint(Job& job, absl::Time now);
  void KeepCheckpoint(Job& job, CheckpointRun run, int64_t bytes);
  void RemoveOldCheckpoints(Job& job);
  void RemoveCheckpoint(Job& job, size_t index);
  // Whether the newest checkpoint, or the job's submission, is all that it
  // takes to go on from where the job is.
  bool IsSaved(const Job& job) const;
  // Whether a job without outstanding tasks pauses instead of going on.
  bool PauseHere(Job& job, absl::Time now);
  void EnterPause(Job& job);
  // Nothing of the job is in the pool or promised to it any more.
  void LeavePool(Job& job);
  // Whether a job that is to begin again first waits until it is saved.
  bool SavesBeforeRestart(Job& job, absl::Time now);
  // It gives up where it is, and begins again from its newest checkpoint.
  void RestartFromCheckpoint(Job& job, absl::Time now);
  // The job is as before PREPARE, PENDING or PAUSED, and will go on from its
  // newest checkpoint.
  void ResetToCheckpoint(Job& job, hydra::v1::JobState state);
  void EraseMetricsFrom(Job& job, int64_t first_step, int64_t first_evaluation);
  // Whether the job was trained on something else until its newest checkpoint,
  // for people; empty: no, or it is not known.
  std::string ChangedDataOf(const Job& job) const;
  // False: the checkpoint that it should go on from does not fit; reset again.
  bool CanResumeInPartition(Job& job, absl::Time now);
  // Where INIT from the newest checkpoint leads. Requires one, and a partition.
  ChainPosition ResumePlaceOf(const Job& job) const;
  void ContinueParking(absl::Time now);

  // core_restore.cc: going on after a restart of the daemon.
  absl::Status RestoreJob(JobId id, const RecoveredJob& recovered,
                          absl::Time now);
  // INVALID_ARGUMENT: as TableOf.
  absl::StatusOr<Shared<ModelTable>> SharedTable(const NewJob& job);
  absl::Status RestoreInPool(Job& job, const RecoveredJob& recovered);
  void JoinBlockRecords(const Job& job, const RecoveredJob& recovered);
  absl::Status RestoreHandOut(TaskId id, const journal::v1::HandOut& hand_out,
                              const RecoveredJob& recovered);

  // core_workers.cc: what workers say.
  WorkerRecord& WorkerOf(WorkerId worker);
  // INTERNAL: the worker says what cannot be; nothing changed.
  absl::Status TakeReport(WorkerRecord& worker,
                          const hydra::worker::v1::TaskReport& report,
                          absl::Time now);
  absl::Status TakeHeld(WorkerRecord& worker,
                        const hydra::worker::v1::WorkerReport& report,
                        absl::Time now);
  // The worker is not listened to any more, and its process ends.
  void Refuse(WorkerRecord& worker, const absl::Status& why, absl::Time now);
  void TakeLogLines(WorkerRecord& worker,
                    const hydra::worker::v1::WorkerReport& report);
  void FailTask(Job& job, const hydra::worker::v1::TaskReport& report,
                absl::Time now);
  // The task is tried again later, if it was not too often already.
  bool TryAgain(Job& job, absl::string_view reason, absl::Time now);
  // The shards did not fit: a pilot cuts the model anew, if that may help.
  bool CutAnew(Job& job, absl::string_view reason, absl::Time now);
  // What is outstanding comes to nothing, since it follows on a failed task.
  void Disown(Job& job);
  // INIT could not read the checkpoint `path`.
  void TakeBadCheckpoint(Job& job, const std::string& path,
                         const hydra::worker::v1::TaskError& error,
                         absl::Time now);
  void LeaveToNext(OutstandingTask& task, Job& job);
  // Nobody runs or writes the task any more: out of its worker's hand, its
  // slots free. The caller takes it out of the job's outstanding ones.
  void Release(const Job& job, const OutstandingTask& task);
  // Forgets the job's outstanding tasks from `first` on; their slots are free.
  void Abandon(Job& job, size_t first);
  void AfterOutstandingChanged(Job& job, absl::Time now);

  // core_commit.cc: what finished tasks made and measured.
  void Commit(Job& job, const hydra::worker::v1::TaskReport& report,
              absl::Time now);
  void CommitResult(Job& job, const OutstandingTask& done,
                    const hydra::worker::v1::TaskReport& report,
                    absl::Time now);
  void AddStep(Job& job, const hydra::v1::StepMetrics& step);
  void RecordPass(Job& job, const OutstandingTask& done,
                  const hydra::worker::v1::PassResult& result, absl::Time now);
  void RecordNonfinite(Job& job, const OutstandingTask& done,
                       const hydra::worker::v1::PassResult& result,
                       absl::Time now);

  // core_leases.cc: silence, stuck tasks, deaths.
  // How long the task may go without getting on.
  absl::Duration LongestTime(const Job& job, const OutstandingTask& task) const;
  void KillStuckTask(WorkerRecord& worker, absl::Time now);
  bool IsPoisonous(const Job& job) const;
  // The job was found to be the fault of its crashes: no device is.
  void AcquitDevices(JobId job);
  void Quarantine(WorkerRecord& worker, const Job& job, absl::string_view how,
                  absl::Time now);
  void EndQuarantine(WorkerRecord& worker);
  void NoteAbsence(WorkerRecord& worker, absl::Time now);
  void TellWhyDevicesAreNotFree();
  std::string PoisonReason(const Job& job, const OutstandingTask& task,
                           absl::string_view how) const;

  // core_dispatch.cc: who gets what.
  int HandSize() const { return 1 + options_.lookahead; }
  // Whether the job may count on a device that did not die of it.
  bool HasUntriedDevice(const Job& job) const;
  bool MayTry(const WorkerRecord& worker, const Job& job) const;
  bool CanRun(const WorkerRecord& worker, const Job& job) const;
  bool Withdrawable(const Job& job) const;
  // Hands out what can be handed out, and tells the workers.
  void Dispatch(absl::Time now);
  void Assign(absl::Time now);
  bool FillEmptyHand(WorkerRecord& worker, absl::Time now);
  void WithdrawPromiseFor(const WorkerRecord& idle);
  // `idle`: the devices for which there was nothing.
  bool LookAhead(WorkerRecord& worker,
                 const std::vector<const WorkerRecord*>& idle, absl::Time now);
  Job* BestIdleJob(const WorkerRecord& worker,
                   const std::vector<const WorkerRecord*>& idle);
  Job* BestSuccessor(const WorkerRecord& worker, absl::Time now);
  // False: the pool has no room for its writes now.
  bool HandOut(Job& job, WorkerRecord& worker, absl::Time now);
  void Withdraw(Job& job);
  // Whether what a begun task makes is of no use.
  bool IsUnwanted(const Job& job, const OutstandingTask& task) const;
  bool FitsBesideCheckpoint(const Job& job, const ChainTask& task) const;
  std::optional<OutstandingTask> MakeTask(Job& job);
  hydra::worker::v1::JobContext ContextOf(const Job& job) const;
  DesiredKey DesiredKeyOf(const WorkerRecord& worker) const;
  std::string ContextContentOf(const Job& job) const;
  void AddContexts(WorkerRecord& worker, const absl::btree_set<JobId>& jobs,
                   hydra::worker::v1::DesiredState& desired);
  hydra::worker::v1::DesiredState MakeDesired(WorkerRecord& worker);
  void SendDesired(WorkerRecord& worker);

  // Some 10 MB of request ids.
  static constexpr size_t kKeptRequests = 50'000;

  const Options options_;
  Policy* const policy_;
  Journal* const journal_;
  Effects* const effects_;

  BlockTable blocks_;
  Admission admission_;
  // Its nodes stay where they are: those of a sweep come in without a copy.
  using JobMap = std::map<JobId, Job>;
  JobMap jobs_;
  struct Sweep {
    // Ascending.
    std::vector<JobId> jobs;
    // Those that have not ended.
    int64_t open_jobs = 0;
  };
  absl::btree_map<SweepId, Sweep> sweeps_;
  SubmissionLedger requests_{kKeptRequests};
  // What jobs of one model, or cut alike, have in common.
  SharedByContent<std::string> texts_;
  SharedByContent<ModelTable> tables_;
  SharedByContent<hydra::v1::Partition> shared_partitions_;
  // Taken in, and not recorded yet: by sequence number.
  struct Unrecorded {
    SweepId sweep;
    RequestKey request;
    absl::Time submitted_at;
    // The first job's id; the others' follow.
    JobId first;
    // What the jobs are made of, some in a turn; those that are made are moved
    // from.
    std::vector<NewJob> submitted;
    JobMap jobs;
  };
  static constexpr size_t kJobsMadeInOneGo = 500;
  absl::btree_map<uint64_t, Unrecorded> unrecorded_;
  // Of all of them, what is not made into jobs yet.
  size_t unmade_jobs_ = 0;
  uint64_t next_job_;
  uint64_t next_sweep_ = 1;
  std::vector<WorkerRecord> workers_;
  // The reason of pending jobs that only wait for a device.
  static constexpr char kWaitsForADevice[] = "waits for a free device";
  std::string waits_for_device_ = kWaitsForADevice;
  // Jobs that wait for another job's result, or for room in the pool; and those
  // to be looked at.
  WaitList waiting_;
  // Those that wait for the one writer of checkpoints; empty while it is free.
  WriterQueue writer_queue_;
  // What jobs wait for while another one finds their cut points: any pilot,
  // since on which device it runs may change.
  static constexpr char kPilotWait[] = "a pilot";
  // Within one sweep files are taken as unchanged; a later one looks again.
  absl::flat_hash_map<SweepId, OncePerKey<hydra::worker::v1::PrepareResult>>
      prepared_;
  OncePerKey<hydra::v1::Partition> partitions_;
  // Jobs that no device gets before some time.
  absl::btree_set<JobId> resting_;
  // Sweeps whose jobs have all ended, in that order, and how many jobs these
  // are.
  struct EndedSweep {
    SweepId id;
    // jobs.db has its end when it has so much.
    uint64_t sequence = 0;
  };
  std::deque<EndedSweep> ended_sweeps_;
  int64_t ended_jobs_ = 0;
  // Jobs of sweeps that are gone; they are freed some in a turn.
  std::vector<JobId> to_forget_;
  // Ended jobs that still have their steps, in the order of their ends.
  std::deque<JobId> with_steps_;
  // Jobs whose trained model waits for room on the disk.
  absl::btree_set<JobId> save_again_;
  // The job whose checkpoint is being written; 0: none.
  JobId writing_;
  absl::Time writing_since_ = absl::InfinitePast();
  // What the newest one took.
  absl::Duration last_write_;
  bool parking_ = false;
  // While parking: their checkpoints could not be written.
  absl::flat_hash_set<JobId> unsaved_;
  bool stopping_ = false;
  absl::Time last_tick_ = absl::InfinitePast();
  absl::Time explained_at_ = absl::InfinitePast();
  // The queue when that began, longest remaining time last, and how many jobs
  // are ahead of the last one here.
  std::vector<JobId> to_explain_;
  int64_t explained_ = 0;
  uint64_t last_task_;
  uint64_t last_context_;
  // For TakeChanges.
  ChangeLog changes_;
  std::vector<SweepId> forgotten_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CORE_H_
