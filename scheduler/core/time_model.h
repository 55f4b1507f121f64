#ifndef HYDRA_SCHEDULER_CORE_TIME_MODEL_H_
#define HYDRA_SCHEDULER_CORE_TIME_MODEL_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/chain/job_shape.h"
#include "common/chain/task_chain.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// How long a job's tasks take: first as the pilot measured its layers (or, with
// cut points given by hand, as its sizes suggest), then corrected by every
// finished task. Sharded-LRTF ranks jobs by Remaining(). Not thread-safe.
class TimeModel {
 public:
  // What finished tasks of one shard took; none where none has finished.
  struct Measured {
    // Of all micro-batches of a step.
    std::optional<absl::Duration> forward;
    std::optional<absl::Duration> backward;
    // For one sequence.
    std::optional<absl::Duration> evaluate;
  };

  // `layers`: the pilot's profiles, or empty. Requires shape.shards.
  TimeModel(const JobShape& shape,
            const std::vector<hydra::v1::LayerProfile>& layers);

  // Corrects the estimate with a finished task's wall time.
  void Observe(const ChainTask& task, absl::Duration wall);

  // By shard, to go on with in another daemon.
  std::vector<Measured> measured() const;
  // Takes over what an earlier daemon measured of the same shards.
  void Restore(const std::vector<Measured>& measured);

  absl::Duration Estimate(const ChainTask& task) const;
  // As Estimate, but a visit of an evaluation counts as a full one: a short one
  // moves as many parameters.
  absl::Duration EstimateOfFullVisit(const ChainTask& task) const;

  // Of a whole step on one device.
  absl::Duration StepTime() const;

  // The time of all tasks from `position` to the chain's end on one device.
  absl::Duration Remaining(const JobShape& shape, const ChainPlan& plan,
                           const ChainPosition& position) const;

 private:
  struct Time {
    absl::Duration estimate;
    bool measured = false;
  };
  struct ShardTimes {
    Time forward;
    Time backward;
    Time evaluate;
  };
  absl::Duration EvaluationTime(int64_t sequences) const;
  // Of a shard's task, if that of all of a step's micro-batches takes `whole`.
  absl::Duration OfRound(absl::Duration whole, const Round& round) const {
    return whole * round.size() / micro_batches_;
  }
  // Of a step, what its tasks before this one take.
  absl::Duration TimeBefore(const JobShape& shape, int task) const;

  int64_t micro_batches_;
  std::vector<ShardTimes> shards_;
  int64_t sequences_of_full_visit_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TIME_MODEL_H_
