#include "scheduler/core/time_model.h"

#include <algorithm>

#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

// Only for ranking jobs until their first tasks are measured.
constexpr double kAssumedFlopsPerSecond = 50e9;
// Weight of the newest measurement.
constexpr double kNewest = 0.3;

absl::Duration AssumedForward(const JobShape& shape, int layer) {
  double parameters = 0;
  for (int block : shape.table.layers[layer].parameter_blocks) {
    parameters += shape.table.parameter_blocks[block].element_count();
  }
  const double tokens =
      static_cast<double>(shape.micro_batch_size) * shape.context_length;
  return absl::Seconds(2 * parameters * tokens / kAssumedFlopsPerSecond);
}

void Correct(absl::Duration measured, absl::Duration& estimate,
             bool& observed) {
  estimate =
      observed ? kNewest * measured + (1 - kNewest) * estimate : measured;
  observed = true;
}

int BatchCount(const ChainTask& task) {
  return std::max(1, task.last_micro_batch - task.first_micro_batch);
}

}  // namespace

TimeModel::TimeModel(const JobShape& shape,
                     const std::vector<hydra::v1::LayerProfile>& layers) {
  for (const LayerRange& range : shape.shards) {
    ShardTimes times;
    for (int layer = range.first; layer < range.last; ++layer) {
      const bool measured = layer < layers.size();
      const absl::Duration forward = measured
                                         ? FromProto(layers[layer].forward())
                                         : AssumedForward(shape, layer);
      const absl::Duration backward =
          measured ? FromProto(layers[layer].backward()) : 2 * forward;
      times.forward += forward * shape.micro_batches;
      times.backward += (forward + backward) * shape.micro_batches;
      times.evaluate += forward * (static_cast<double>(shape.eval_batch_size) /
                                   shape.micro_batch_size);
    }
    shards_.push_back(times);
  }
}

void TimeModel::Observe(const ChainTask& task, absl::Duration wall) {
  ShardTimes& times = shards_[task.shard];
  switch (task.kind) {
    case wv1::TASK_KIND_FORWARD:
      Correct(wall, times.forward, times.forward_observed);
      break;
    case wv1::TASK_KIND_BACKWARD:
    case wv1::TASK_KIND_TURN:
      Correct(wall, times.backward, times.backward_observed);
      break;
    case wv1::TASK_KIND_EVALUATE:
      Correct(wall / BatchCount(task), times.evaluate, times.evaluate_observed);
      break;
    default:
      break;
  }
}

absl::Duration TimeModel::Estimate(const ChainTask& task) const {
  const ShardTimes& times = shards_[task.shard];
  switch (task.kind) {
    case wv1::TASK_KIND_FORWARD:
      return times.forward;
    case wv1::TASK_KIND_BACKWARD:
    case wv1::TASK_KIND_TURN:
      return times.backward;
    case wv1::TASK_KIND_EVALUATE:
      return times.evaluate * BatchCount(task);
    default:
      return absl::ZeroDuration();
  }
}

absl::Duration TimeModel::StepTime() const {
  absl::Duration time = shards_.back().backward;
  for (int shard = 0; shard + 1 < shards_.size(); ++shard) {
    time += shards_[shard].forward + shards_[shard].backward;
  }
  return time;
}

absl::Duration TimeModel::EvaluationTime(int64_t batches) const {
  absl::Duration time;
  for (const ShardTimes& times : shards_) time += times.evaluate;
  return time * batches;
}

absl::Duration TimeModel::Remaining(const JobShape& shape,
                                    const ChainPlan& plan,
                                    const ChainPosition& position) const {
  if (position.done()) return absl::ZeroDuration();
  absl::Duration time =
      (plan.total_steps - position.step) * StepTime() +
      EvaluationTime(IntermediateEvaluations(plan, position.step) *
                         plan.validation_batches +
                     plan.validation_batches + plan.test_batches);
  if (position.phase == ChainPosition::Phase::kTrain) {
    // What this step has behind it.
    for (int task = 0; task < position.task; ++task) {
      const int last = shape.shard_count() - 1;
      time -= task < last ? shards_[task].forward
                          : shards_[2 * last - task].backward;
    }
  } else if (position.phase == ChainPosition::Phase::kEvaluate) {
    if (position.split == wv1::SPLIT_TEST) {
      time -= EvaluationTime(plan.validation_batches);
    } else if (position.step < plan.total_steps) {
      // The one that is under way is not among the later ones.
      time += EvaluationTime(plan.validation_batches);
    }
    time -= EvaluationTime(position.first_batch);
    for (int shard = 0; shard < position.task; ++shard) {
      time -= shards_[shard].evaluate * kEvalBatchesPerVisit;
    }
  }
  return std::max(time, absl::ZeroDuration());
}

}  // namespace hydra
