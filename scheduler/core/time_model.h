#ifndef HYDRA_SCHEDULER_CORE_TIME_MODEL_H_
#define HYDRA_SCHEDULER_CORE_TIME_MODEL_H_

#include <vector>

#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/job_shape.h"
#include "scheduler/core/task_chain.h"

namespace hydra {

// How long a job's tasks take: first as the pilot measured its layers (or, with
// cut points given by hand, as its sizes suggest), then corrected by every
// finished task. Sharded-LRTF ranks jobs by Remaining(). Not thread-safe.
class TimeModel {
 public:
  // `layers`: the pilot's profiles, or empty. Requires shape.shards.
  TimeModel(const JobShape& shape,
            const std::vector<hydra::v1::LayerProfile>& layers);

  // Corrects the estimate with a finished task's wall time.
  void Observe(const ChainTask& task, absl::Duration wall);

  absl::Duration Estimate(const ChainTask& task) const;

  // The time of all tasks from `position` to the chain's end on one device.
  absl::Duration Remaining(const JobShape& shape, const ChainPlan& plan,
                           const ChainPosition& position) const;

 private:
  struct ShardTimes {
    absl::Duration forward;
    absl::Duration backward;
    // For one batch.
    absl::Duration evaluate;
    bool forward_observed = false;
    bool backward_observed = false;
    bool evaluate_observed = false;
  };
  absl::Duration StepTime() const;
  absl::Duration EvaluationTime(int64_t batches) const;

  std::vector<ShardTimes> shards_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TIME_MODEL_H_
