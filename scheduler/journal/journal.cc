#include "scheduler/journal/journal.h"

#include <algorithm>
#include <utility>

#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"

namespace hydra {

using journal::v1::Change;

namespace {

Change Put(int table, uint64_t a, int64_t b,
           const google::protobuf::MessageLite& value) {
  return MakePut(table, a, b, value.SerializeAsString());
}

}  // namespace

uint64_t Journal::Submitted(SweepId sweep,
                            const journal::v1::SweepRecord& record,
                            SubmittedJobs jobs) {
  // What happened before it comes before it.
  CloseEntry();
  Entry entry;
  entry.sequence = ++last_sequence_;
  entry.refusable = true;
  entry.changes.reserve(jobs.size() + 1);
  entry.changes.push_back(Put(kSweepsTable, sweep.value(), 0, record));
  for (auto& [id, job] : jobs) {
    entry.changes.push_back(
        MakePut(kSubmittedTable, id.value(), 0, std::move(job)));
  }
  entries_.push_back(std::move(entry));
  return last_sequence_;
}

void Journal::JobChanged(JobId job, const journal::v1::JobProgress& progress) {
  jobs_changes_.push_back(Put(kProgressTable, job.value(), 0, progress));
}

void Journal::StepRecorded(JobId job, const hydra::v1::StepMetrics& metrics) {
  jobs_changes_.push_back(
      Put(kStepsTable, job.value(), metrics.step(), metrics));
}

void Journal::EvaluationRecorded(JobId job,
                                 const hydra::v1::EvaluationMetrics& metrics) {
  jobs_changes_.push_back(
      Put(kEvaluationsTable, job.value(), EvaluationNumber(metrics), metrics));
}

void Journal::MetricsErased(JobId job, int64_t first_step,
                            int64_t first_evaluation) {
  jobs_changes_.push_back(MakeEraseFrom(kStepsTable, job.value(), first_step));
  jobs_changes_.push_back(
      MakeEraseFrom(kEvaluationsTable, job.value(), first_evaluation));
}

void Journal::CheckpointRecorded(
    JobId job, const journal::v1::CheckpointRecord& checkpoint) {
  jobs_changes_.push_back(Put(kCheckpointsTable, job.value(),
                              CheckpointNumber(checkpoint.info()), checkpoint));
}

void Journal::CheckpointErased(JobId job,
                               const hydra::v1::CheckpointInfo& checkpoint) {
  jobs_changes_.push_back(
      MakeErase(kCheckpointsTable, job.value(), CheckpointNumber(checkpoint)));
}

void Journal::JobDeleted(JobId job) {
  for (int table : {kSubmittedTable, kProgressTable, kStepsTable,
                    kEvaluationsTable, kCheckpointsTable}) {
    jobs_changes_.push_back(MakeEraseFrom(table, job.value(), 0));
  }
  jobs_changes_.push_back(
      MakePut(kJobsMetaTable, job.value(), kDeletedJob, "deleted"));
}

void Journal::SharesChanged(const journal::v1::ShareRecord& shares) {
  jobs_changes_.push_back(Put(kJobsMetaTable, 0, kSharesOfAccounts, shares));
}

void Journal::DrainsChanged(const journal::v1::DrainRecord& drains) {
  jobs_changes_.push_back(Put(kJobsMetaTable, 0, kDrained, drains));
}

void Journal::PoolJobChanged(JobId job, const journal::v1::PoolJob& record) {
  pool_changes_.push_back(Put(kPoolJobsTable, job.value(), 0, record));
}

void Journal::PoolJobErased(JobId job) {
  pool_changes_.push_back(MakeErase(kPoolJobsTable, job.value(), 0));
  pool_changes_.push_back(MakeEraseFrom(kBlocksTable, job.value(), 0));
}

void Journal::BlockChanged(JobId job, const journal::v1::BlockRecord& block) {
  pool_changes_.push_back(
      Put(kBlocksTable, job.value(), BlockNumber(BlockKeyOf(block)), block));
}

void Journal::BlockErased(JobId job, const BlockKey& block) {
  pool_changes_.push_back(
      MakeErase(kBlocksTable, job.value(), BlockNumber(block)));
}

void Journal::TaskHandedOut(WorkerId worker,
                            const hydra::worker::v1::Task& task) {
  journal::v1::HandOut record;
  record.set_worker_id(worker.value());
  *record.mutable_task() = task;
  pool_changes_.push_back(Put(kHandOutsTable, task.task_id(), 0, record));
}

void Journal::TaskEnded(TaskId task) {
  pool_changes_.push_back(MakeErase(kHandOutsTable, task.value(), 0));
}

void Journal::WorkerStarted(WorkerId worker,
                            const journal::v1::WorkerProcess& process) {
  pool_changes_.push_back(Put(kWorkersTable, worker.value(), 0, process));
}

void Journal::WorkerEnded(WorkerId worker) {
  pool_changes_.push_back(MakeErase(kWorkersTable, worker.value(), 0));
}

void Journal::CloseEntry() {
  if (jobs_changes_.empty()) return;
  Entry entry;
  entry.sequence = ++last_sequence_;
  entry.changes = std::exchange(jobs_changes_, {});
  journal::v1::OutboxEntry record;
  record.mutable_changes()->Assign(entry.changes.begin(), entry.changes.end());
  pool_changes_.push_back(Put(kOutboxTable, entry.sequence, 0, record));
  outbox_.push_back(entry.sequence);
  entries_.push_back(std::move(entry));
}

const std::vector<Change>& Journal::pool_changes() {
  CloseEntry();
  return pool_changes_;
}

std::vector<Journal::Entry> Journal::TakeEntries() {
  pool_changes_.clear();
  return std::exchange(entries_, {});
}

std::vector<uint64_t> Journal::WithdrawSubmissions() {
  std::vector<uint64_t> withdrawn;
  std::vector<Entry> kept;
  for (Entry& entry : entries_) {
    if (entry.refusable) {
      withdrawn.push_back(entry.sequence);
    } else {
      kept.push_back(std::move(entry));
    }
  }
  entries_ = std::move(kept);
  return withdrawn;
}

void Journal::Recorded(uint64_t sequence) {
  recorded_ = std::max(recorded_, sequence);
  while (!outbox_.empty() && outbox_.front() <= sequence) {
    pool_changes_.push_back(MakeErase(kOutboxTable, outbox_.front(), 0));
    outbox_.pop_front();
  }
}

}  // namespace hydra
