#include "scheduler/core/admission.h"

#include <algorithm>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "common/chain/task_chain.h"

namespace hydra {
namespace {

using hydra::v1::PoolDemand;

// More than any pool has; sums and products of what is bounded by it do not
// overflow.
constexpr int64_t kMostBytes = int64_t{1} << 50;

int64_t Bounded(absl::int128 bytes) {
  return static_cast<int64_t>(std::min<absl::int128>(bytes, kMostBytes));
}

int64_t CommittedBytes(const JobShape& shape) {
  return Bounded(absl::int128(shape.table->ParameterBytes()) *
                 (1 + shape.state_factor));
}

PoolDemand Total(PoolDemand demand) {
  demand.set_total_bytes(demand.committed_bytes() + demand.boundary_bytes() +
                         demand.gradient_bytes() +
                         demand.largest_write_bytes());
  return demand;
}

bool IsBoundary(const BlockKey& key) {
  return key.kind == hydra::worker::v1::BLOCK_KIND_ACTIVATION ||
         key.kind == hydra::worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT;
}

// Of all tasks of a step with one micro-batch, which would be written once for
// each of many.
int64_t LargestWriteOfAStep(const JobShape& shape) {
  JobShape single = shape;
  single.micro_batches = 1;
  int64_t largest = 0;
  for (int number = 0; number < TasksPerStep(shape); ++number) {
    const ChainPosition position{ChainPosition::Phase::kTrain, 0, number};
    const ChainTask task = TaskAt(single, {1}, position);
    absl::int128 bytes = 0;
    for (const BlockWrite& write : task.writes) {
      const int copies = IsBoundary(write.key) ? shape.micro_batches : 1;
      bytes += absl::int128(write.size_bytes) * copies;
    }
    largest = std::max(largest, Bounded(bytes));
  }
  return largest;
}

// Tied blocks whose gradient crosses a cut.
int64_t CrossingGradientBytes(const JobShape& shape) {
  int64_t bytes = 0;
  for (const ParameterBlock& block : shape.table->parameter_blocks) {
    for (const LayerRange& shard : shape.shards) {
      if (shard.first > block.owner() && shard.first <= block.layers.back()) {
        bytes += block.size_bytes;
        break;
      }
    }
  }
  return bytes;
}

}  // namespace

PoolDemand DemandOf(const JobShape& shape) {
  // During a step each cut holds its activations, and on the way back their
  // gradients in place of them. An evaluation's task holds the cuts at its own
  // ends alone, and no training boundaries: the largest write need not count
  // it.
  absl::int128 training = 0;
  absl::int128 evaluation = 0;
  absl::int128 eval_input = 0;
  for (const LayerRange& shard : shape.shards) {
    const absl::int128 output = shard.last == shape.table->layer_count()
                                    ? 0
                                    : absl::int128{kEvalBatchesPerVisit} *
                                          shape.EvalBoundaryBytes(shard.last);
    evaluation = std::max(evaluation, eval_input + output);
    eval_input = output;
    training += absl::int128{shape.micro_batches} *
                shape.TrainBoundaryBytes(shard.first);
  }
  PoolDemand demand;
  demand.set_committed_bytes(CommittedBytes(shape));
  demand.set_boundary_bytes(Bounded(std::max(training, evaluation)));
  demand.set_gradient_bytes(CrossingGradientBytes(shape));
  demand.set_largest_write_bytes(LargestWriteOfAStep(shape));
  return Total(demand);
}

PoolDemand LeastDemandOf(const JobShape& shape) {
  int64_t largest_block = 0;
  for (const ParameterBlock& block : shape.table->parameter_blocks) {
    largest_block = std::max(largest_block, block.size_bytes);
  }
  PoolDemand demand;
  demand.set_committed_bytes(CommittedBytes(shape));
  demand.set_largest_write_bytes(largest_block * (1 + shape.state_factor));
  return Total(demand);
}

Admission::Admission(int64_t pool_bytes, int workers, int lookahead)
    : pool_bytes_(pool_bytes), workers_(workers), lookahead_(lookahead) {}

int64_t Admission::LookaheadWith(int64_t write_bytes) const {
  int64_t bytes = 0;
  int free_workers = workers_;
  auto next = writes_.begin();
  while (free_workers > 0 && (next != writes_.end() || write_bytes > 0)) {
    if (next == writes_.end() || write_bytes > *next) {
      bytes += std::exchange(write_bytes, 0);
    } else {
      bytes += *next++;
    }
    --free_workers;
  }
  return lookahead_ * bytes;
}

absl::Status Admission::CanEverFit(const PoolDemand& demand) const {
  const int64_t lookahead =
      workers_ > 0 ? lookahead_ * demand.largest_write_bytes() : 0;
  const int64_t needed = demand.total_bytes() + lookahead;
  if (needed <= pool_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the job needs ", needed, " bytes of the pool, which can promise ",
      pool_bytes_, " (nine tenths of it): parameters and optimizer state ",
      demand.committed_bytes(), ", boundaries ", demand.boundary_bytes(),
      ", tied gradients ", demand.gradient_bytes(), ", largest write ",
      demand.largest_write_bytes(), ", lookahead of its worker ", lookahead));
}

absl::Status Admission::Admit(JobId job, const PoolDemand& demand,
                              int64_t kept_bytes) {
  const int64_t reserved = total_bytes_ + demand.total_bytes() + kept_bytes +
                           LookaheadWith(demand.largest_write_bytes());
  if (reserved > pool_bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "waits for room in the pool: needs ", demand.total_bytes(), " bytes, ",
        std::max<int64_t>(0, pool_bytes_ - reserved_bytes() - kept_bytes),
        " of ", pool_bytes_,
        " are neither promised to other jobs nor held by checkpoints"));
  }
  Readmit(job, demand);
  return absl::OkStatus();
}

void Admission::Readmit(JobId job, const PoolDemand& demand) {
  Release(job);
  admitted_[job] = {demand.total_bytes(), demand.largest_write_bytes()};
  total_bytes_ += demand.total_bytes();
  writes_.insert(demand.largest_write_bytes());
}

void Admission::Release(JobId job) {
  auto found = admitted_.find(job);
  if (found == admitted_.end()) return;
  total_bytes_ -= found->second.total_bytes;
  writes_.erase(writes_.find(found->second.largest_write_bytes));
  admitted_.erase(found);
}

int64_t Admission::reserved_bytes() const {
  return total_bytes_ + LookaheadWith(0);
}

}  // namespace hydra
