#ifndef HYDRA_SCHEDULER_JOURNAL_TABLES_H_
#define HYDRA_SCHEDULER_JOURNAL_TABLES_H_

#include <cstdint>

#include "common/chain/block_key.h"
#include "common/chain/split.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// The tables of the two journals. A record is named by two numbers, a and b; b
// is 0 where nothing else is said. Its value is a message of
// hydra.journal.v1, unless another one is named.

// jobs.db, on the disk: what must survive a restart of the machine.
enum JobsTable : int {
  // a: sweep. SweepRecord.
  kSweepsTable = 0,
  // a: job. SubmittedJob.
  kSubmittedTable = 1,
  // a: job. JobProgress.
  kProgressTable = 2,
  // a: job, b: step. hydra.v1.StepMetrics.
  kStepsTable = 3,
  // a: job, b: EvaluationNumber(). hydra.v1.EvaluationMetrics.
  kEvaluationsTable = 4,
  // a: job, b: CheckpointNumber(). CheckpointRecord.
  kCheckpointsTable = 5,
  // b: one of the numbers below. A text, a decimal one where it is a number; of
  // kSharesOfAccounts a ShareRecord, of kDrained a DrainRecord. a: 0, but of
  // kDeletedJob.
  kJobsMetaTable = 6,
};

// pool.db, on the pool's tmpfs: what is of use only as long as the pool is.
enum PoolTable : int {
  // b: one of the numbers below. A text.
  kPoolMetaTable = 0,
  // a: job. PoolJob.
  kPoolJobsTable = 1,
  // a: job, b: BlockNumber(). BlockRecord.
  kBlocksTable = 2,
  // a: task. HandOut.
  kHandOutsTable = 3,
  // a: worker. WorkerProcess.
  kWorkersTable = 4,
  // a: sequence number. OutboxEntry.
  kOutboxTable = 5,
};

// Of kJobsMetaTable: the newest entry of the outbox that is in jobs.db, how
// often a daemon was started on it, the instance id and the path of the newest
// pool that its jobs were in, the number that its first job may have, what
// accounts have used of the devices, what operators have drained, and (a: job)
// that a job of some sweep was removed by its user, with all of its records in
// the other tables.
inline constexpr int64_t kLastSequence = 0;
inline constexpr int64_t kStarts = 1;
inline constexpr int64_t kPoolOfJobs = 2;
inline constexpr int64_t kPoolPathOfJobs = 3;
inline constexpr int64_t kFirstJob = 4;
inline constexpr int64_t kSharesOfAccounts = 90;
inline constexpr int64_t kDrained = 94;
inline constexpr int64_t kDeletedJob = 95;
// Of kPoolMetaTable: the instance id of the pool that it describes, the devices
// that its jobs were cut for, the boot id of the machine's start that its
// processes are of, and the state directory of its jobs.
inline constexpr int64_t kPoolInstance = 0;
inline constexpr int64_t kPoolDevices = 1;
inline constexpr int64_t kPoolBoot = 2;
inline constexpr int64_t kPoolStateDir = 3;

inline int64_t EvaluationNumber(int64_t step, hydra::worker::v1::Split split) {
  return 2 * step + (split == hydra::worker::v1::SPLIT_TEST ? 1 : 0);
}
inline int64_t EvaluationNumber(const hydra::v1::EvaluationMetrics& metrics) {
  return EvaluationNumber(metrics.step(), SplitOf(metrics));
}
inline int64_t CheckpointNumber(int64_t step, bool inside_step) {
  return 2 * step + (inside_step ? 1 : 0);
}
inline int64_t CheckpointNumber(const hydra::v1::CheckpointInfo& checkpoint) {
  return CheckpointNumber(checkpoint.step(), checkpoint.inside_step());
}
// kind < 8, index < 2^28.
inline int64_t BlockNumber(const BlockKey& key) {
  return (int64_t{key.kind} << 60) | (int64_t{key.index} << 32) |
         key.micro_batch;
}

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TABLES_H_
