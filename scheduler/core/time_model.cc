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
// Of a layer's forward and backward, the forward is about a third.
constexpr int kForwardsInBoth = 3;

absl::Duration AssumedForward(const JobShape& shape, int layer) {
  double parameters = 0;
  for (int block : shape.table->layers[layer].parameter_blocks) {
    parameters += shape.table->parameter_blocks[block].element_count();
  }
  const double sequences = static_cast<double>(shape.micro_batch_size);
  const double context = static_cast<double>(shape.context_length);
  double flops = 2 * parameters * sequences * context;
  flops += sequences * context * context *
           static_cast<double>(shape.table->layers[layer].flops_per_token_pair);
  return absl::Seconds(flops / kAssumedFlopsPerSecond);
}

// A head runs forward and backward in one, and the pilot counts both as
// backward. An evaluation runs its forward alone.
absl::Duration ForwardAlone(absl::Duration forward, absl::Duration backward) {
  return forward > absl::ZeroDuration() ? forward : backward / kForwardsInBoth;
}

Round RoundOf(const ChainTask& task) {
  return {task.first_micro_batch, task.last_micro_batch};
}

}  // namespace

TimeModel::TimeModel(const JobShape& shape,
                     const std::vector<hydra::v1::LayerProfile>& layers)
    : micro_batches_(shape.micro_batches),
      sequences_of_full_visit_(EvaluationVisitBatches(shape) *
                               shape.eval_batch_size) {
  for (const LayerRange& range : shape.shards) {
    ShardTimes times;
    // Otherwise the shard has no BACKWARD.
    const bool goes_back = HandsGradientsDown(*shape.table, range.last);
    for (int layer = range.first; layer < range.last; ++layer) {
      const bool measured = layer < layers.size();
      const absl::Duration forward = measured
                                         ? FromProto(layers[layer].forward())
                                         : AssumedForward(shape, layer);
      const absl::Duration backward =
          measured ? FromProto(layers[layer].backward()) : 2 * forward;
      times.forward.Add(forward * shape.micro_batches);
      if (goes_back) {
        times.backward.Add((forward + backward) * shape.micro_batches);
      }
      times.evaluate.Add(ForwardAlone(forward, backward) /
                         shape.micro_batch_size);
    }
    shards_.push_back(times);
  }
}

void TimeModel::Time::Add(absl::Duration assumed) {
  wall += assumed;
  without_waits += assumed;
}

void TimeModel::Time::Correct(absl::Duration new_wall,
                              absl::Duration new_without_waits) {
  const double weight = measured ? kNewest : 1;
  wall = weight * new_wall + (1 - weight) * wall;
  without_waits = weight * new_without_waits + (1 - weight) * without_waits;
  measured = true;
}

void TimeModel::Observe(const ChainTask& task, absl::Duration wall,
                        absl::Duration waited) {
  const absl::Duration without_waits =
      wall - std::clamp(waited, absl::ZeroDuration(), wall);
  const auto of_step = [&](absl::Duration time) {
    return time * micro_batches_ / RoundOf(task).size();
  };
  const int64_t sequences = std::max<int64_t>(1, task.sequences);
  ShardTimes& times = shards_[task.shard];
  switch (task.kind) {
    case wv1::TASK_KIND_FORWARD:
      times.forward.Correct(of_step(wall), of_step(without_waits));
      break;
    case wv1::TASK_KIND_BACKWARD:
    case wv1::TASK_KIND_TURN:
      times.backward.Correct(of_step(wall), of_step(without_waits));
      break;
    case wv1::TASK_KIND_EVALUATE:
      times.evaluate.Correct(wall / sequences, without_waits / sequences);
      break;
    default:
      break;
  }
}

std::vector<TimeModel::Measured> TimeModel::measured() const {
  auto if_measured = [](const Time& time) {
    return time.measured ? std::make_optional(time.wall) : std::nullopt;
  };
  std::vector<Measured> measured;
  for (const ShardTimes& times : shards_) {
    measured.push_back({if_measured(times.forward), if_measured(times.backward),
                        if_measured(times.evaluate)});
  }
  return measured;
}

void TimeModel::Restore(const std::vector<Measured>& measured) {
  auto take = [](const std::optional<absl::Duration>& then, Time& time) {
    if (then.has_value()) time = {*then, *then, /*measured=*/true};
  };
  if (measured.size() != shards_.size()) return;
  for (size_t i = 0; i < measured.size(); ++i) {
    take(measured[i].forward, shards_[i].forward);
    take(measured[i].backward, shards_[i].backward);
    take(measured[i].evaluate, shards_[i].evaluate);
  }
}

absl::Duration TimeModel::Estimate(const ChainTask& task) const {
  const ShardTimes& times = shards_[task.shard];
  switch (task.kind) {
    case wv1::TASK_KIND_FORWARD:
      return OfRound(times.forward.wall, RoundOf(task));
    case wv1::TASK_KIND_BACKWARD:
    case wv1::TASK_KIND_TURN:
      return OfRound(times.backward.wall, RoundOf(task));
    case wv1::TASK_KIND_EVALUATE:
      return times.evaluate.wall * task.sequences;
    default:
      return absl::ZeroDuration();
  }
}

absl::Duration TimeModel::EstimateOfFullVisit(const ChainTask& task) const {
  ChainTask full = task;
  full.sequences = std::max(task.sequences, sequences_of_full_visit_);
  return Estimate(full);
}

absl::Duration TimeModel::StepTime(Measure measure) const {
  absl::Duration time = shards_.back().backward.By(measure);
  for (int shard = 0; shard + 1 < shards_.size(); ++shard) {
    time += shards_[shard].forward.By(measure) +
            shards_[shard].backward.By(measure);
  }
  return time;
}

absl::Duration TimeModel::TimeBefore(const JobShape& shape, int task,
                                     Measure measure) const {
  const int tasks = TasksPerRound(shape);
  const int rounds = task / tasks;
  // Only UPDATE tasks are left, which take the host's time.
  if (rounds >= shape.rounds) return StepTime(measure);
  const Round round = shape.RoundAt(rounds);
  absl::Duration time = OfRound(StepTime(measure), {0, round.first});
  const int last = shape.shard_count() - 1;
  for (int i = 0; i < task % tasks; ++i) {
    time += OfRound(i < last ? shards_[i].forward.By(measure)
                             : shards_[2 * last - i].backward.By(measure),
                    round);
  }
  return time;
}

absl::Duration TimeModel::EvaluationTime(int64_t sequences,
                                         Measure measure) const {
  absl::Duration time;
  for (const ShardTimes& times : shards_) {
    time += times.evaluate.By(measure) * sequences;
  }
  return time;
}

absl::Duration TimeModel::Remaining(const JobShape& shape,
                                    const ChainPlan& plan,
                                    const ChainPosition& position,
                                    Measure measure) const {
  if (position.done()) return absl::ZeroDuration();
  const int64_t validation =
      SequencesOf(shape, plan, wv1::SPLIT_VALIDATION, plan.validation_batches);
  const int64_t test =
      SequencesOf(shape, plan, wv1::SPLIT_TEST, plan.test_batches);
  // The test split comes behind all steps, those too that a job stopped before.
  const bool trains = position.phase != ChainPosition::Phase::kEvaluate ||
                      position.split != wv1::SPLIT_TEST;
  const int64_t step = trains ? position.step : plan.total_steps;
  absl::Duration time =
      (plan.total_steps - step) * StepTime(measure) +
      EvaluationTime(
          IntermediateEvaluations(plan, step) * validation + validation + test,
          measure);
  if (position.phase == ChainPosition::Phase::kTrain) {
    time -= TimeBefore(shape, position.task, measure);
  } else if (position.phase == ChainPosition::Phase::kEvaluate) {
    if (position.split == wv1::SPLIT_TEST) {
      time -= EvaluationTime(validation, measure);
    } else if (position.step < plan.total_steps) {
      // The one that is under way is not among the later ones.
      time += EvaluationTime(validation, measure);
    }
    const int64_t before =
        SequencesOf(shape, plan, position.split, position.first_batch);
    time -= EvaluationTime(before, measure);
    const int64_t visit =
        SequencesOf(shape, plan, position.split, VisitEnd(plan, position)) -
        before;
    for (int shard = 0; shard < position.task; ++shard) {
      time -= shards_[shard].evaluate.By(measure) * visit;
    }
  }
  return std::max(time, absl::ZeroDuration());
}

}  // namespace hydra
