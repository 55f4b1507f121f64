#include "common/chain/task_chain.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "common/chain/step_numbers.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

// The layer whose shard fills or updates the block.
int OwnerOf(const JobShape& shape, const BlockKey& key) {
  if (IsBoundary(key)) return key.index;
  if (key.kind == wv1::BLOCK_KIND_GRADIENT_SUM) return key.micro_batch;
  return shape.table->parameter_blocks[key.index].owner();
}

// From nothing, or from the place that the plan resumes at: then what is there
// at that place belongs to it.
ChainTask InitTask(const JobShape& shape, const ChainPlan& plan, int shard) {
  ChainTask task =
      PassTask(shape, wv1::TASK_KIND_INIT, shape.shards[shard], /*count=*/0);
  task.shard = shard;
  if (!plan.resume.has_value()) return task;
  const std::vector<BlockWrite> from_nothing = std::move(task.writes);
  task.writes.clear();
  for (const BlockWrite& write : from_nothing) {
    if (write.key.kind != wv1::BLOCK_KIND_PARAMETERS) continue;
    task.writes.push_back(write);
    if (shape.StateBytes(write.key.index) == 0) continue;
    const BlockKey state = StateKey(write.key.index);
    task.writes.push_back({state, BlockBytes(shape, task.kind, state)});
  }
  for (const BlockWrite& write : BlocksInsideStep(shape, *plan.resume)) {
    if (task.layers.Contains(OwnerOf(shape, write.key))) {
      task.writes.push_back(write);
    }
  }
  return task;
}

// Of one step: those that make the gradients.
int GradientTasks(const JobShape& shape) {
  return shape.rounds * TasksPerRound(shape);
}

ChainTask UpdateTask(const JobShape& shape, int64_t step, int shard) {
  ChainTask task =
      PassTask(shape, wv1::TASK_KIND_UPDATE, shape.shards[shard], /*count=*/0);
  task.step = step;
  task.shard = shard;
  return task;
}

// Of a step's task.
int ShardOfTask(const JobShape& shape, int index) {
  if (index >= GradientTasks(shape)) {
    return shape.FirstTrainedShard() + index - GradientTasks(shape);
  }
  const int in_round = index % TasksPerRound(shape);
  const int turn = shape.shard_count() - 1;
  return in_round <= turn ? in_round : 2 * turn - in_round;
}

ChainTask TrainTask(const JobShape& shape, int64_t step, int index) {
  const int shard = ShardOfTask(shape, index);
  if (index >= GradientTasks(shape)) return UpdateTask(shape, step, shard);
  const int tasks = TasksPerRound(shape);
  const Round round = shape.RoundAt(index / tasks);
  const int in_round = index % tasks;
  const int turn = shape.shard_count() - 1;
  const wv1::TaskKind kind = in_round < turn    ? wv1::TASK_KIND_FORWARD
                             : in_round == turn ? wv1::TASK_KIND_TURN
                                                : wv1::TASK_KIND_BACKWARD;
  ChainTask task = PassTask(shape, kind, shape.shards[shard], round);
  task.step = step;
  task.shard = shard;
  task.sequences = round.size() * shape.micro_batch_size;
  return task;
}

int64_t BatchesOf(const ChainPlan& plan, wv1::Split split) {
  return split == wv1::SPLIT_VALIDATION ? plan.validation_batches
                                        : plan.test_batches;
}

ChainTask EvaluateTask(const JobShape& shape, const ChainPlan& plan,
                       const ChainPosition& position) {
  const int first = static_cast<int>(position.first_batch);
  const int last = static_cast<int>(VisitEnd(plan, position));
  ChainTask task = PassTask(shape, wv1::TASK_KIND_EVALUATE,
                            shape.shards[position.task], last - first);
  task.step = position.step;
  task.shard = position.task;
  task.split = position.split;
  task.first_micro_batch = first;
  task.last_micro_batch = last;
  task.sequences = SequencesOf(shape, plan, position.split, last) -
                   SequencesOf(shape, plan, position.split, first);
  return task;
}

ChainPosition BeginEvaluation(const JobShape& shape, wv1::Split split,
                              int64_t step) {
  ChainPosition position;
  position.phase = Phase::kEvaluate;
  position.step = step;
  position.split = split;
  position.visit_batches = EvaluationVisitBatches(shape);
  return position;
}

ChainPosition BeginStep(int64_t step) {
  ChainPosition position;
  position.phase = Phase::kTrain;
  position.step = step;
  return position;
}

ChainPosition End(int64_t step) {
  ChainPosition position;
  position.phase = Phase::kDone;
  position.step = step;
  return position;
}

ChainPosition AfterStep(const JobShape& shape, const ChainPlan& plan,
                        int64_t steps) {
  const bool last = steps >= plan.total_steps;
  const bool due =
      last || (plan.eval_steps > 0 && steps % plan.eval_steps == 0);
  if (due && plan.validation_batches > 0) {
    return BeginEvaluation(shape, wv1::SPLIT_VALIDATION, steps);
  }
  if (!last) return BeginStep(steps);
  if (plan.test_batches > 0) {
    return BeginEvaluation(shape, wv1::SPLIT_TEST, steps);
  }
  return End(steps);
}

ChainPosition AfterEvaluation(const JobShape& shape, const ChainPlan& plan,
                              const ChainPosition& position) {
  // The test split comes last, in a job that stopped early too.
  if (position.split == wv1::SPLIT_TEST) return End(position.step);
  if (position.step < plan.total_steps) return BeginStep(position.step);
  if (plan.test_batches > 0) {
    return BeginEvaluation(shape, wv1::SPLIT_TEST, position.step);
  }
  return End(position.step);
}

// Batches whose examples a worker may have in its memory at once.
int64_t MostBatchesAtOnce(const JobShape& shape) {
  const auto& examples = shape.table->examples;
  if (!examples.has_value()) return kMostVisitBatches;
  return std::clamp<int64_t>(
      kMaxStepNumbers / examples->element_count() / shape.eval_batch_size, 1,
      kMostVisitBatches);
}

// An evaluation begins again, and the job may be cut otherwise than it was.
ChainPosition Resume(const JobShape& shape, ChainPosition position) {
  if (position.phase == Phase::kEvaluate) {
    position.visit_batches = EvaluationVisitBatches(shape);
  }
  return position;
}

}  // namespace

int EvaluationVisitBatches(const JobShape& shape) {
  int64_t parameters = 0;
  const int blocks = static_cast<int>(shape.table->parameter_blocks.size());
  for (int block = 0; block < blocks; ++block) {
    parameters += shape.ParameterBytes(block);
  }
  // What one batch has at a shard: what is read and what is made.
  int64_t batch_bytes = 1;
  int64_t step_bytes = 0;
  int64_t before = 0;
  for (const LayerRange& layers : shape.shards) {
    if (layers.first == 0) continue;
    const int64_t bytes = shape.EvalBoundaryBytes(layers.first);
    batch_bytes = std::max(batch_bytes, before + bytes);
    before = bytes;
    step_bytes += shape.LargestRound() * shape.TrainBoundaryBytes(layers.first);
  }
  const int64_t room = std::max(step_bytes, parameters / 16);
  const int64_t most = MostBatchesAtOnce(shape);
  return static_cast<int>(std::clamp<int64_t>(
      room / batch_bytes, std::min<int64_t>(kLeastVisitBatches, most), most));
}

int64_t VisitEnd(const ChainPlan& plan, const ChainPosition& position) {
  const int batches =
      position.visit_batches > 0 ? position.visit_batches : kLeastVisitBatches;
  return std::min(position.first_batch + batches,
                  BatchesOf(plan, position.split));
}

int TasksPerRound(const JobShape& shape) {
  return 2 * shape.shard_count() - 1 - shape.FirstTrainedShard();
}

int FirstTurn(const JobShape& shape) { return shape.shard_count() - 1; }

int LastTurn(const JobShape& shape) {
  return (shape.rounds - 1) * TasksPerRound(shape) + shape.shard_count() - 1;
}

int TasksPerStep(const JobShape& shape) {
  const int trained = shape.shard_count() - shape.FirstTrainedShard();
  return GradientTasks(shape) + (shape.gradients_wait() ? trained : 0);
}

ChainPosition ResumePlace(ChainPosition position) {
  if (position.inside_step()) return position;
  position.task = 0;
  position.first_batch = 0;
  return position;
}

std::vector<BlockWrite> BlocksInsideStep(const JobShape& shape,
                                         const ChainPosition& position) {
  absl::btree_map<BlockKey, int64_t> blocks;
  if (position.phase != Phase::kTrain) return {};
  // A whole round before the last one leaves its sums and nothing else.
  const int tasks = TasksPerRound(shape);
  const int round = std::min(position.task, GradientTasks(shape) - 1) / tasks;
  for (int i = std::max(0, round - 1) * tasks; i < position.task; ++i) {
    const ChainTask task = TrainTask(shape, position.step, i);
    for (const BlockWrite& write : task.writes) {
      if (!IsTrained(write.key)) blocks[write.key] = write.size_bytes;
    }
    for (const BlockKey& key : task.ends) blocks.erase(key);
  }
  std::vector<BlockWrite> writes;
  for (const auto& [key, bytes] : blocks) writes.push_back({key, bytes});
  return writes;
}

ChainTask TaskAt(const JobShape& shape, const ChainPlan& plan,
                 const ChainPosition& position) {
  CHECK(!position.done());
  switch (position.phase) {
    case Phase::kInit:
      return InitTask(shape, plan, position.task);
    case Phase::kTrain:
      return TrainTask(shape, position.step, position.task);
    default:
      return EvaluateTask(shape, plan, position);
  }
}

int ShardAt(const JobShape& shape, const ChainPosition& position) {
  CHECK(!position.done());
  return position.phase == Phase::kTrain ? ShardOfTask(shape, position.task)
                                         : position.task;
}

bool CompletesStep(const JobShape& shape, const ChainPosition& position) {
  return position.phase == Phase::kTrain &&
         position.task + 1 == TasksPerStep(shape);
}

bool CompletesEvaluation(const JobShape& shape, const ChainPlan& plan,
                         const ChainPosition& position) {
  return position.phase == Phase::kEvaluate &&
         position.task + 1 == shape.shard_count() &&
         VisitEnd(plan, position) >= BatchesOf(plan, position.split);
}

ChainPosition Next(const JobShape& shape, const ChainPlan& plan,
                   const ChainPosition& position) {
  CHECK(!position.done());
  ChainPosition next = position;
  ++next.task;
  switch (position.phase) {
    case Phase::kInit:
      if (next.task < shape.shard_count()) return next;
      if (plan.resume.has_value()) return Resume(shape, *plan.resume);
      return plan.total_steps > 0 ? BeginStep(0) : AfterStep(shape, plan, 0);
    case Phase::kTrain:
      if (!CompletesStep(shape, position)) return next;
      return AfterStep(shape, plan, position.step + 1);
    default:
      if (next.task < shape.shard_count()) return next;
      if (CompletesEvaluation(shape, plan, position)) {
        return AfterEvaluation(shape, plan, position);
      }
      next.task = 0;
      next.first_batch = VisitEnd(plan, position);
      return next;
  }
}

int64_t SequencesOf(const JobShape& shape, const ChainPlan& plan,
                    wv1::Split split, int64_t batches) {
  const int64_t full = batches * shape.eval_batch_size;
  const int64_t all = split == wv1::SPLIT_VALIDATION ? plan.validation_sequences
                                                     : plan.test_sequences;
  return all == 0 ? full : std::min(full, all);
}

int64_t IntermediateEvaluations(const ChainPlan& plan, int64_t after_step) {
  if (plan.eval_steps <= 0 || plan.validation_batches == 0) return 0;
  return (plan.total_steps - 1) / plan.eval_steps -
         std::min(after_step, plan.total_steps - 1) / plan.eval_steps;
}

}  // namespace hydra
