#include "common/chain/step_bytes.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "common/chain/chain_task.h"
#include "common/chain/kind_bytes.h"
#include "common/chain/task_chain.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

// Adds what one task moves, as often as there are tasks like it.
class TaskBytes {
 public:
  TaskBytes(const JobShape& shape, bool on_host, const ChainTask& task,
            int64_t times, StepBytes& sum)
      : shape_(shape),
        on_host_(on_host),
        task_(task),
        times_(times),
        sum_(sum) {}

  void Promoted(const BlockKey& key) {
    bool moves = true;
    switch (key.kind) {
      case wv1::BLOCK_KIND_PARAMETERS:
        // A table whose rows are gathered on the host comes for its update,
        // unless that takes the master.
        moves = !StaysOnHost(block(key), task_.layers) ||
                (!on_host_ && Updates(key.index) && !block(key).has_master());
        break;
      case wv1::BLOCK_KIND_OPTIMIZER_STATE:
        moves = !on_host_;
        break;
      case wv1::BLOCK_KIND_PARAMETER_GRADIENT:
        // The host sums it with the rows' gradients.
        moves = !on_host_ || !block(key).rows_are_gathered;
        break;
      case wv1::BLOCK_KIND_GRADIENT_SUM:
        moves = !on_host_ || !IsOfRows(key);
        break;
      default:
        break;
    }
    if (moves) {
      AddBytes(key.kind, times_ * BlockBytes(shape_, task_.kind, key),
               sum_.promoted);
    }
  }

  void Demoted(const BlockWrite& write) {
    int64_t bytes = write.size_bytes;
    if (on_host_) {
      if (write.key.kind == wv1::BLOCK_KIND_OPTIMIZER_STATE) return;
      if (write.key.kind == wv1::BLOCK_KIND_GRADIENT_SQUARES) return;
      if (write.key.kind == wv1::BLOCK_KIND_PARAMETERS || Waits(write.key)) {
        bytes = GradientBytes(block(write.key));
      } else if (IsOfRows(write.key)) {
        bytes = RowBytes(block(write.key));
      }
    }
    AddBytes(write.key.kind, times_ * bytes, sum_.demoted);
  }

 private:
  const ParameterBlock& block(const BlockKey& key) const {
    return shape_.table->parameter_blocks[key.index];
  }

  // What the gathered rows' gradients add up to.
  bool IsOfRows(const BlockKey& key) const {
    return key.kind == wv1::BLOCK_KIND_GRADIENT_SUM &&
           block(key).gathered_by(/*layer=*/key.micro_batch);
  }

  // A whole gradient, not a later layer's part of one.
  bool Waits(const BlockKey& key) const {
    return key.kind == wv1::BLOCK_KIND_PARAMETER_GRADIENT &&
           task_.layers.Contains(block(key).owner());
  }

  bool Updates(int block) const {
    return std::any_of(task_.writes.begin(), task_.writes.end(),
                       [&](const BlockWrite& write) {
                         return write.key.kind == wv1::BLOCK_KIND_PARAMETERS &&
                                write.key.index == block;
                       });
  }

  // What leaves for the host to update the block with. Of gathered rows, that
  // is a gradient and a number for each token, and, if a later layer of the
  // shard uses all of the block, its part of the gradient.
  int64_t GradientBytes(const ParameterBlock& block) const {
    if (!block.rows_are_gathered) return block.gradient_bytes();
    const int64_t rows = RowBytes(block);
    return StaysOnHost(block, task_.layers) ? rows
                                            : rows + block.gradient_bytes();
  }

  int64_t RowBytes(const ParameterBlock& block) const {
    const int64_t tokens = task_.sequences * shape_.context_length;
    const int64_t width = block.tensors.front().shape[1];
    return tokens * (width * kFloatBytes + int64_t{sizeof(int64_t)});
  }

  const JobShape& shape_;
  const bool on_host_;
  const ChainTask& task_;
  const int64_t times_;
  StepBytes& sum_;
};

// Rounds whose tasks move the same: the number of one, and how many there are.
// Of many rounds there are a few kinds.
std::vector<std::pair<int, int64_t>> KindsOfRounds(const JobShape& shape) {
  absl::btree_map<std::tuple<bool, bool, int>, std::pair<int, int64_t>> kinds;
  for (int i = 0; i < shape.rounds; ++i) {
    const Round round = shape.RoundAt(i);
    auto& [number, count] =
        kinds[{round.is_first, round.is_last, round.size()}];
    number = i;
    ++count;
  }
  std::vector<std::pair<int, int64_t>> rounds;
  for (const auto& [kind, of_kind] : kinds) rounds.push_back(of_kind);
  return rounds;
}

}  // namespace

StepBytes PredictStepBytes(const JobShape& shape,
                           hydra::v1::UpdatePlace updates) {
  CHECK(updates == hydra::v1::UPDATE_PLACE_HOST ||
        updates == hydra::v1::UPDATE_PLACE_DEVICE)
      << hydra::v1::UpdatePlace_Name(updates);
  StepBytes sum;
  ChainPlan plan;
  plan.total_steps = 1;
  // All that an UPDATE reads and makes is in the pool.
  const int tasks = TasksPerRound(shape);
  for (const auto& [round, count] : KindsOfRounds(shape)) {
    for (int i = 0; i < tasks; ++i) {
      const ChainTask task =
          TaskAt(shape, plan,
                 {ChainPosition::Phase::kTrain, /*step=*/0, round * tasks + i});
      TaskBytes bytes(shape, updates == hydra::v1::UPDATE_PLACE_HOST, task,
                      count, sum);
      for (const BlockKey& read : task.reads) bytes.Promoted(read);
      for (const BlockWrite& write : task.writes) bytes.Demoted(write);
    }
  }
  return sum;
}

}  // namespace hydra
