#ifndef HYDRA_SCHEDULER_JOURNAL_RECOVERED_H_
#define HYDRA_SCHEDULER_JOURNAL_RECOVERED_H_

#include <optional>
#include <string>
#include <vector>

#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"

namespace hydra {

// A job as the journals know it.
struct RecoveredJob {
  journal::v1::SubmittedJob submitted;
  journal::v1::JobProgress progress;
  // Ascending; of more than a thousand the newest thousand or more. Only for
  // jobs that have not ended.
  std::vector<hydra::v1::StepMetrics> steps;
  std::vector<hydra::v1::EvaluationMetrics> evaluations;
  std::vector<journal::v1::CheckpointRecord> checkpoints;
  // Not empty: a checkpoint that is newer than all that the disk shows may be
  // there all the same, such as on a disk that is not mounted; this says which
  // one and why. Without the pool, the job should wait for it.
  std::string checkpoints_missing;
  // So many at the end of `checkpoints` are recorded and not on the disk.
  int missing_checkpoints = 0;
  // What the pool holds of it; none if it holds nothing.
  std::optional<journal::v1::PoolJob> pool;
  std::vector<journal::v1::BlockRecord> blocks;
};

// What an earlier daemon left: plain values, as read from the journals.
struct Recovered {
  std::map<SweepId, journal::v1::SweepRecord> sweeps;
  std::map<JobId, RecoveredJob> jobs;
  // None: there was one account at most.
  std::optional<journal::v1::ShareRecord> shares;
  // None: nothing ever was.
  std::optional<journal::v1::DrainRecord> drains;
  // Empty without a pool.
  std::map<TaskId, journal::v1::HandOut> hand_outs;
  std::map<WorkerId, journal::v1::WorkerProcess> workers;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_RECOVERED_H_
