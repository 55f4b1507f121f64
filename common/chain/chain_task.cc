#include "common/chain/chain_task.h"

#include <algorithm>

#include "absl/container/btree_set.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

// Builds the lists of one pass.
class PassBuilder {
 public:
  PassBuilder(const JobShape& shape, wv1::TaskKind kind,
              const LayerRange& layers, const Round& round)
      : shape_(shape), round_(round) {
    task_.kind = kind;
    task_.layers = layers;
    task_.first_micro_batch = round.first;
    task_.last_micro_batch = round.last;
  }

  void ReadParameters() {
    for (int block : Blocks()) task_.reads.push_back(ParametersKey(block));
  }

  // Every block that the shard owns, and state that does not begin as zero.
  void FillParameters() {
    for (int block : Blocks()) {
      if (!Owns(block)) continue;
      Write(ParametersKey(block));
      if (shape_.table->parameter_blocks[block].has_master()) {
        Write(StateKey(block));
      }
    }
  }

  // Does nothing for the shard that begins the chain.
  void ReadInput(bool last_use) {
    if (task_.layers.first == 0) return;
    for (int i = round_.first; i < round_.last; ++i) {
      Read(ActivationKey(task_.layers.first, i), last_use);
    }
  }

  // Does nothing for the shard that ends the chain.
  void WriteOutput() {
    if (task_.layers.last == shape_.table->layer_count()) return;
    for (int i = round_.first; i < round_.last; ++i) {
      Write(ActivationKey(task_.layers.last, i));
    }
  }

  // The gradients of the output come in, those of the input go out.
  void HandGradientsDown() {
    for (int i = round_.first; i < round_.last; ++i) {
      if (task_.layers.last < shape_.table->layer_count()) {
        Read(ActivationGradientKey(task_.layers.last, i), /*last_use=*/true);
      }
      if (HandsGradientsDown(*shape_.table, task_.layers.first)) {
        Write(ActivationGradientKey(task_.layers.first, i));
      }
    }
  }

  // At the end of a step, the gradient of every block that the shard owns,
  // which waits for the UPDATE or is used at once; for the others, their part
  // goes to the owner.
  void MakeGradients() {
    AddToSums();
    if (!round_.is_last) return;
    for (int block : TrainedBlocks()) {
      if (!Owns(block)) {
        Write(ParameterGradientKey(block));
        continue;
      }
      if (shape_.gradients_wait()) {
        // The later layers' part becomes the whole.
        if (HasLaterUser(block)) {
          Read(ParameterGradientKey(block), /*last_use=*/false);
        }
        Write(ParameterGradientKey(block));
        Write(GradientSquaresKey(block));
        continue;
      }
      Update(block);
      if (HasLaterUser(block)) {
        Read(ParameterGradientKey(block), /*last_use=*/true);
      }
    }
  }

  // With the gradients that wait.
  void UpdateOwned() {
    for (int block : TrainedBlocks()) {
      if (!Owns(block)) continue;
      Read(ParametersKey(block), /*last_use=*/false);
      Update(block);
      Read(ParameterGradientKey(block), /*last_use=*/true);
    }
    const bool last = task_.layers.last == shape_.table->layer_count();
    const auto blocks = static_cast<int>(shape_.table->parameter_blocks.size());
    for (int block = 0; block < blocks; ++block) {
      if (!IsFrozen(block)) Read(GradientSquaresKey(block), /*last_use=*/last);
    }
  }

  ChainTask Take() { return std::move(task_); }

 private:
  std::vector<int> Blocks() const {
    return BlocksUsed(*shape_.table, task_.layers);
  }

  std::vector<int> TrainedBlocks() const {
    std::vector<int> blocks = Blocks();
    blocks.erase(std::remove_if(blocks.begin(), blocks.end(),
                                [this](int block) { return IsFrozen(block); }),
                 blocks.end());
    return blocks;
  }

  // What each layer's rounds up to this one add up to, of every block that it
  // uses: one sum for all of a tied block's layers would add them up in another
  // order than one round does.
  void AddToSums() {
    for (int layer = task_.layers.first; layer < task_.layers.last; ++layer) {
      for (int block : shape_.table->layers[layer].parameter_blocks) {
        if (IsFrozen(block)) continue;
        const BlockKey sum = GradientSumKey(block, layer);
        if (!round_.is_first) Read(sum, /*last_use=*/round_.is_last);
        if (!round_.is_last) Write(sum);
      }
    }
  }

  bool IsFrozen(int block) const {
    return shape_.table->parameter_blocks[block].frozen;
  }

  bool Owns(int block) const {
    return task_.layers.Contains(shape_.table->parameter_blocks[block].owner());
  }

  bool HasLaterUser(int block) const {
    return shape_.table->parameter_blocks[block].layers.back() >=
           task_.layers.last;
  }

  void Update(int block) {
    Write(ParametersKey(block));
    if (shape_.StateBytes(block) == 0) return;
    Read(StateKey(block), /*last_use=*/false);
    Write(StateKey(block));
  }

  void Read(const BlockKey& key, bool last_use) {
    task_.reads.push_back(key);
    if (last_use) task_.ends.push_back(key);
  }

  void Write(const BlockKey& key) {
    task_.writes.push_back({key, BlockBytes(shape_, task_.kind, key)});
  }

  const JobShape& shape_;
  const Round round_;
  ChainTask task_;
};

}  // namespace

ChainTask PassTask(const JobShape& shape, wv1::TaskKind kind,
                   const LayerRange& layers, const Round& round) {
  PassBuilder pass(shape, kind, layers, round);
  switch (kind) {
    case wv1::TASK_KIND_INIT:
      pass.FillParameters();
      break;
    case wv1::TASK_KIND_FORWARD:
      pass.ReadParameters();
      // A BACKWARD reads it again.
      pass.ReadInput(
          /*last_use=*/!HandsGradientsDown(*shape.table, layers.last));
      pass.WriteOutput();
      break;
    case wv1::TASK_KIND_EVALUATE:
      pass.ReadParameters();
      pass.ReadInput(/*last_use=*/true);
      pass.WriteOutput();
      break;
    case wv1::TASK_KIND_BACKWARD:
    case wv1::TASK_KIND_TURN:
      pass.ReadParameters();
      pass.ReadInput(/*last_use=*/true);
      pass.HandGradientsDown();
      pass.MakeGradients();
      break;
    case wv1::TASK_KIND_UPDATE:
      pass.UpdateOwned();
      break;
    default:
      LOG(FATAL) << wv1::TaskKind_Name(kind) << " is no pass over a shard";
  }
  return pass.Take();
}

ChainTask PassTask(const JobShape& shape, wv1::TaskKind kind,
                   const LayerRange& layers, int count) {
  return PassTask(shape, kind, layers, Round{0, count});
}

bool IsFrozen(const ModelTable& table, const BlockKey& key) {
  return key.kind == wv1::BLOCK_KIND_PARAMETERS && key.index >= 0 &&
         key.index < static_cast<int>(table.parameter_blocks.size()) &&
         table.parameter_blocks[key.index].frozen;
}

bool HandsGradientsDown(const ModelTable& table, int first) {
  return table.FirstTrainedLayer() < first;
}

std::vector<int> BlocksUsed(const ModelTable& table, const LayerRange& layers) {
  absl::btree_set<int> blocks;
  for (int layer = layers.first; layer < layers.last; ++layer) {
    const std::vector<int>& used = table.layers[layer].parameter_blocks;
    blocks.insert(used.begin(), used.end());
  }
  return {blocks.begin(), blocks.end()};
}

bool StaysOnHost(const ParameterBlock& block, const LayerRange& layers) {
  return block.rows_are_gathered &&
         std::none_of(block.layers.begin(), block.layers.end(), [&](int user) {
           return user != block.owner() && layers.Contains(user);
         });
}

int64_t BlockBytes(const JobShape& shape, wv1::TaskKind kind,
                   const BlockKey& key) {
  if (IsBoundary(key)) {
    return kind == wv1::TASK_KIND_EVALUATE
               ? shape.EvalBoundaryBytes(key.index)
               : shape.TrainBoundaryBytes(key.index);
  }
  switch (key.kind) {
    case wv1::BLOCK_KIND_OPTIMIZER_STATE:
      return shape.StateBytes(key.index);
    case wv1::BLOCK_KIND_PARAMETER_GRADIENT:
    case wv1::BLOCK_KIND_GRADIENT_SUM:
      return shape.GradientBytes(key.index);
    case wv1::BLOCK_KIND_GRADIENT_SQUARES:
      return AlignedTensorBytes(sizeof(double));
    default:
      return shape.ParameterBytes(key.index);
  }
}

wv1::Task ToMessage(const ChainTask& task) {
  wv1::Task message;
  message.set_kind(task.kind);
  message.set_step(task.step);
  message.set_shard(task.shard);
  message.set_first_layer(task.layers.first);
  message.set_last_layer(task.layers.last);
  message.set_first_micro_batch(task.first_micro_batch);
  message.set_last_micro_batch(task.last_micro_batch);
  message.set_split(task.split);
  return message;
}

}  // namespace hydra
