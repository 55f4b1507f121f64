#ifndef HYDRA_SCHEDULER_JOURNAL_JOURNAL_H_
#define HYDRA_SCHEDULER_JOURNAL_JOURNAL_H_

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "common/chain/block_key.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"

namespace hydra {

// What the scheduler must not forget (docs/design.md section 5). The core
// appends, turn by turn; whoever runs the core ends each turn in this order:
//
//   1. pool_changes() are written to pool.db, all or nothing;
//   2. TakeEntries() go to the thread that writes jobs.db, many at a time;
//   3. the turn's messages and other effects go out.
//
// So nobody outside learns of what is not in pool.db, and the core never waits
// for the disk. What is on its way to jobs.db is in pool.db's outbox until
// Recorded() says that it arrived, so that killing the daemon loses none of it.
// Submissions alone do not go through the outbox: they are acknowledged, and
// begin to run, only when jobs.db has them.
//
// If step 1 fails, steps 2 and 3 wait: the next turn's pool_changes() include
// this one's. Submissions may be withdrawn then.
//
// Pure bookkeeping: no I/O. Not thread-safe.
class Journal {
 public:
  // A transaction for jobs.db.
  struct Entry {
    uint64_t sequence = 0;
    std::vector<journal::v1::Change> changes;
    // A submission: may be refused where the disk is full.
    bool refusable = false;
  };

  // `last_sequence`: the newest one that an earlier daemon gave out.
  explicit Journal(uint64_t last_sequence = 0)
      : last_sequence_(last_sequence), recorded_(last_sequence) {}

  // --- jobs.db ---

  // Each with its SubmittedJob, serialized.
  using SubmittedJobs = std::vector<std::pair<JobId, std::string>>;
  // The sequence number that Recorded() will cover once it is on the disk.
  uint64_t Submitted(SweepId sweep, const journal::v1::SweepRecord& record,
                     SubmittedJobs jobs);
  void JobChanged(JobId job, const journal::v1::JobProgress& progress);
  void StepRecorded(JobId job, const hydra::v1::StepMetrics& metrics);
  void EvaluationRecorded(JobId job,
                          const hydra::v1::EvaluationMetrics& metrics);
  // Steps and evaluations of these numbers and later will be made again;
  // `first_evaluation` is an EvaluationNumber().
  void MetricsErased(JobId job, int64_t first_step, int64_t first_evaluation);
  void CheckpointRecorded(JobId job,
                          const journal::v1::CheckpointRecord& checkpoint);
  void CheckpointErased(JobId job, const hydra::v1::CheckpointInfo& checkpoint);
  // The job, which has ended, and all that is recorded of it; its sweep's
  // record stays, so that no id and no request id is taken for a new one.
  void JobDeleted(JobId job);
  // What accounts have used of the devices.
  void SharesChanged(const journal::v1::ShareRecord& shares);
  // What operators have drained.
  void DrainsChanged(const journal::v1::DrainRecord& drains);

  // --- pool.db ---

  void PoolJobChanged(JobId job, const journal::v1::PoolJob& record);
  // The job and all of its blocks.
  void PoolJobErased(JobId job);
  void BlockChanged(JobId job, const journal::v1::BlockRecord& block);
  void BlockErased(JobId job, const BlockKey& block);
  // The slots in `task` belong to `worker` until it drops them or is dead.
  void TaskHandedOut(WorkerId worker, const hydra::worker::v1::Task& task);
  void TaskEnded(TaskId task);
  void WorkerStarted(WorkerId worker,
                     const journal::v1::WorkerProcess& process);
  void WorkerEnded(WorkerId worker);

  // --- The end of a turn ---

  // What pool.db must take in; empty if nothing happened. Valid until the next
  // call.
  const std::vector<journal::v1::Change>& pool_changes();
  // pool_changes() are written. What jobs.db must take in, in order.
  std::vector<Entry> TakeEntries();
  // Takes out the submissions that wait for step 2; their sequence numbers.
  std::vector<uint64_t> WithdrawSubmissions();
  // Everything up to this sequence number is in jobs.db.
  void Recorded(uint64_t sequence);

  // What is changed of jobs.db now will be there when so much is recorded.
  uint64_t next_sequence() const { return last_sequence_ + 1; }
  uint64_t recorded() const { return recorded_; }

 private:
  using Change = journal::v1::Change;

  // The turn's changes of jobs.db become an entry and a record of the outbox.
  void CloseEntry();

  uint64_t last_sequence_;
  uint64_t recorded_;
  std::vector<Change> pool_changes_;
  std::vector<Change> jobs_changes_;
  std::vector<Entry> entries_;
  // Records of the outbox, oldest first.
  std::deque<uint64_t> outbox_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_JOURNAL_H_
