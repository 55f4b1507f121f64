#include "common/chain/task_chain.h"

#include <algorithm>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

BlockKey Parameters(int block) {
  return {wv1::BLOCK_KIND_PARAMETERS, block, 0};
}
BlockKey State(int block) {
  return {wv1::BLOCK_KIND_OPTIMIZER_STATE, block, 0};
}
BlockKey TiedGradient(int block) {
  return {wv1::BLOCK_KIND_PARAMETER_GRADIENT, block, 0};
}
BlockKey Activation(int layer, int micro_batch) {
  return {wv1::BLOCK_KIND_ACTIVATION, layer, micro_batch};
}
BlockKey ActivationGradient(int layer, int micro_batch) {
  return {wv1::BLOCK_KIND_ACTIVATION_GRADIENT, layer, micro_batch};
}

// Ascending, each once.
std::vector<int> BlocksUsed(const JobShape& shape, const LayerRange& layers) {
  absl::btree_set<int> blocks;
  for (int layer = layers.first; layer < layers.last; ++layer) {
    const std::vector<int>& used = shape.table->layers[layer].parameter_blocks;
    blocks.insert(used.begin(), used.end());
  }
  return {blocks.begin(), blocks.end()};
}

bool Owns(const JobShape& shape, const LayerRange& layers, int block) {
  return layers.Contains(shape.table->parameter_blocks[block].owner());
}

bool HasLaterUser(const JobShape& shape, const LayerRange& layers, int block) {
  return shape.table->parameter_blocks[block].layers.back() >= layers.last;
}

void ReadParameters(const JobShape& shape, ChainTask& task) {
  for (int block : BlocksUsed(shape, task.layers)) {
    task.reads.push_back(Parameters(block));
  }
}

// The update of every block that the shard owns; for the others, their part of
// the gradient goes to the owner.
void UpdateOwned(const JobShape& shape, ChainTask& task) {
  for (int block : BlocksUsed(shape, task.layers)) {
    const int64_t bytes = shape.ParameterBytes(block);
    if (!Owns(shape, task.layers, block)) {
      task.writes.push_back({TiedGradient(block), bytes});
      continue;
    }
    task.writes.push_back({Parameters(block), bytes});
    if (shape.state_factor > 0) {
      task.reads.push_back(State(block));
      task.writes.push_back({State(block), shape.StateBytes(block)});
    }
    if (HasLaterUser(shape, task.layers, block)) {
      task.reads.push_back(TiedGradient(block));
      task.ends.push_back(TiedGradient(block));
    }
  }
}

void ReadInput(ChainTask& task, int count, bool last_use) {
  if (task.layers.first == 0) return;
  for (int i = 0; i < count; ++i) {
    const BlockKey input = Activation(task.layers.first, i);
    task.reads.push_back(input);
    if (last_use) task.ends.push_back(input);
  }
}

void WriteOutput(ChainTask& task, int count, int64_t bytes) {
  for (int i = 0; i < count; ++i) {
    task.writes.push_back({Activation(task.layers.last, i), bytes});
  }
}

// The layer whose shard fills or updates the block.
int OwnerOf(const JobShape& shape, const BlockKey& key) {
  const bool is_boundary = key.kind == wv1::BLOCK_KIND_ACTIVATION ||
                           key.kind == wv1::BLOCK_KIND_ACTIVATION_GRADIENT;
  return is_boundary ? key.index
                     : shape.table->parameter_blocks[key.index].owner();
}

ChainTask InitTask(const JobShape& shape, const ChainPlan& plan, int shard) {
  ChainTask task;
  task.kind = wv1::TASK_KIND_INIT;
  task.shard = shard;
  task.layers = shape.shards[shard];
  for (int block : BlocksUsed(shape, task.layers)) {
    if (!Owns(shape, task.layers, block)) continue;
    task.writes.push_back({Parameters(block), shape.ParameterBytes(block)});
    if (plan.resume.has_value() && shape.state_factor > 0) {
      task.writes.push_back({State(block), shape.StateBytes(block)});
    }
  }
  if (!plan.resume.has_value()) return task;
  for (const BlockWrite& write : BlocksInsideStep(shape, *plan.resume)) {
    if (task.layers.Contains(OwnerOf(shape, write.key))) {
      task.writes.push_back(write);
    }
  }
  return task;
}

ChainTask TrainTask(const JobShape& shape, int64_t step, int index) {
  const int last_shard = shape.shard_count() - 1;
  const int count = shape.micro_batches;
  ChainTask task;
  task.step = step;
  task.last_micro_batch = count;
  task.sequences = count * shape.micro_batch_size;
  task.shard = index <= last_shard ? index : 2 * last_shard - index;
  task.layers = shape.shards[task.shard];
  ReadParameters(shape, task);
  if (index < last_shard) {
    task.kind = wv1::TASK_KIND_FORWARD;
    ReadInput(task, count, /*last_use=*/false);
    WriteOutput(task, count, shape.TrainBoundaryBytes(task.layers.last));
    return task;
  }
  task.kind =
      index == last_shard ? wv1::TASK_KIND_TURN : wv1::TASK_KIND_BACKWARD;
  ReadInput(task, count, /*last_use=*/true);
  for (int i = 0; i < count; ++i) {
    if (index > last_shard) {
      task.reads.push_back(ActivationGradient(task.layers.last, i));
      task.ends.push_back(ActivationGradient(task.layers.last, i));
    }
    if (task.layers.first > 0) {
      task.writes.push_back({ActivationGradient(task.layers.first, i),
                             shape.TrainBoundaryBytes(task.layers.first)});
    }
  }
  UpdateOwned(shape, task);
  return task;
}

int64_t BatchesOf(const ChainPlan& plan, wv1::Split split) {
  return split == wv1::SPLIT_VALIDATION ? plan.validation_batches
                                        : plan.test_batches;
}

ChainTask EvaluateTask(const JobShape& shape, const ChainPlan& plan,
                       const ChainPosition& position) {
  ChainTask task;
  task.kind = wv1::TASK_KIND_EVALUATE;
  task.step = position.step;
  task.shard = position.task;
  task.layers = shape.shards[task.shard];
  task.split = position.split;
  task.first_micro_batch = static_cast<int>(position.first_batch);
  task.last_micro_batch =
      static_cast<int>(std::min(position.first_batch + kEvalBatchesPerVisit,
                                BatchesOf(plan, position.split)));
  task.sequences =
      SequencesOf(shape, plan, position.split, task.last_micro_batch) -
      SequencesOf(shape, plan, position.split, task.first_micro_batch);
  const int count = task.last_micro_batch - task.first_micro_batch;
  ReadParameters(shape, task);
  ReadInput(task, count, /*last_use=*/true);
  if (task.shard + 1 < shape.shard_count()) {
    WriteOutput(task, count, shape.EvalBoundaryBytes(task.layers.last));
  }
  return task;
}

ChainPosition BeginEvaluation(wv1::Split split, int64_t step) {
  ChainPosition position;
  position.phase = Phase::kEvaluate;
  position.step = step;
  position.split = split;
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

ChainPosition AfterStep(const ChainPlan& plan, int64_t steps) {
  const bool last = steps >= plan.total_steps;
  const bool due =
      last || (plan.eval_steps > 0 && steps % plan.eval_steps == 0);
  if (due && plan.validation_batches > 0) {
    return BeginEvaluation(wv1::SPLIT_VALIDATION, steps);
  }
  if (!last) return BeginStep(steps);
  if (plan.test_batches > 0) return BeginEvaluation(wv1::SPLIT_TEST, steps);
  return End(steps);
}

ChainPosition AfterEvaluation(const ChainPlan& plan,
                              const ChainPosition& position) {
  if (position.step < plan.total_steps) return BeginStep(position.step);
  if (position.split == wv1::SPLIT_VALIDATION && plan.test_batches > 0) {
    return BeginEvaluation(wv1::SPLIT_TEST, position.step);
  }
  return End(position.step);
}

}  // namespace

int TasksPerStep(const JobShape& shape) { return 2 * shape.shard_count() - 1; }

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
  for (int i = 0; i < position.task; ++i) {
    const ChainTask task = TrainTask(shape, position.step, i);
    for (const BlockWrite& write : task.writes) {
      if (write.key.kind != wv1::BLOCK_KIND_PARAMETERS &&
          write.key.kind != wv1::BLOCK_KIND_OPTIMIZER_STATE) {
        blocks[write.key] = write.size_bytes;
      }
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

bool CompletesStep(const JobShape& shape, const ChainPosition& position) {
  return position.phase == Phase::kTrain &&
         position.task + 1 == TasksPerStep(shape);
}

bool CompletesEvaluation(const JobShape& shape, const ChainPlan& plan,
                         const ChainPosition& position) {
  return position.phase == Phase::kEvaluate &&
         position.task + 1 == shape.shard_count() &&
         position.first_batch + kEvalBatchesPerVisit >=
             BatchesOf(plan, position.split);
}

ChainPosition Next(const JobShape& shape, const ChainPlan& plan,
                   const ChainPosition& position) {
  CHECK(!position.done());
  ChainPosition next = position;
  ++next.task;
  switch (position.phase) {
    case Phase::kInit:
      if (next.task < shape.shard_count()) return next;
      if (plan.resume.has_value()) return *plan.resume;
      return plan.total_steps > 0 ? BeginStep(0) : AfterStep(plan, 0);
    case Phase::kTrain:
      if (!CompletesStep(shape, position)) return next;
      return AfterStep(plan, position.step + 1);
    default:
      if (next.task < shape.shard_count()) return next;
      if (CompletesEvaluation(shape, plan, position)) {
        return AfterEvaluation(plan, position);
      }
      next.task = 0;
      next.first_batch += kEvalBatchesPerVisit;
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
