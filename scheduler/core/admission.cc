#include "scheduler/core/admission.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "common/chain/chain_task.h"
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

// What an update of a block that is trained makes.
absl::int128 UpdatedBytes(const JobShape& shape, int block) {
  return absl::int128(shape.ParameterBytes(block)) + shape.StateBytes(block);
}

int64_t CommittedBytes(const JobShape& shape) {
  absl::int128 bytes = 0;
  const int blocks = static_cast<int>(shape.table->parameter_blocks.size());
  for (int block = 0; block < blocks; ++block) {
    if (shape.table->parameter_blocks[block].frozen) continue;
    bytes += UpdatedBytes(shape, block);
  }
  return Bounded(bytes);
}

int64_t BaseBytes(const JobShape& shape) {
  return Bounded(absl::int128(shape.table->ParameterBytes()) -
                 shape.table->TrainedBytes());
}

PoolDemand Total(PoolDemand demand) {
  demand.set_total_bytes(demand.committed_bytes() + demand.boundary_bytes() +
                         demand.gradient_bytes() +
                         demand.largest_write_bytes() + demand.base_bytes());
  return demand;
}

// What a step holds and makes, at its worst places.
struct StepBytes {
  // Most that is there between two tasks.
  int64_t boundaries = 0;
  int64_t gradients = 0;
  // Most that one task makes.
  int64_t largest_write = 0;
};

// Walks the tasks of a step with one micro-batch in a round: each boundary
// counts once for each of many. Of many rounds, those between the first and the
// last are the same.
StepBytes WalkStep(const JobShape& shape) {
  JobShape single = shape;
  single.rounds = std::min(shape.rounds, 3);
  single.micro_batches = single.rounds;
  absl::flat_hash_map<BlockKey, absl::int128> held;
  absl::int128 boundaries = 0;
  absl::int128 gradients = 0;
  StepBytes most;
  for (int number = 0; number < TasksPerStep(single); ++number) {
    const ChainPosition position{ChainPosition::Phase::kTrain, 0, number};
    const ChainTask task = TaskAt(single, {1}, position);
    const auto sum_of = [&](const BlockKey& key) -> absl::int128& {
      return IsBoundary(key) ? boundaries : gradients;
    };
    absl::int128 written = 0;
    for (const BlockWrite& write : task.writes) {
      const int copies = IsBoundary(write.key) ? shape.LargestRound() : 1;
      const absl::int128 bytes = absl::int128(write.size_bytes) * copies;
      written += bytes;
      if (IsTrained(write.key)) continue;
      sum_of(write.key) += bytes - std::exchange(held[write.key], bytes);
    }
    for (const BlockKey& key : task.ends) {
      sum_of(key) -= std::exchange(held[key], 0);
    }
    most.boundaries = std::max(most.boundaries, Bounded(boundaries));
    most.gradients = std::max(most.gradients, Bounded(gradients));
    most.largest_write = std::max(most.largest_write, Bounded(written));
  }
  return most;
}

// Of all batches that a visit to a shard evaluates: what it reads and makes. No
// training boundaries are there meanwhile.
int64_t EvaluationBoundaryBytes(const JobShape& shape) {
  absl::int128 most = 0;
  const int batches = EvaluationVisitBatches(shape);
  for (const LayerRange& layers : shape.shards) {
    const ChainTask task =
        PassTask(shape, worker::v1::TASK_KIND_EVALUATE, layers, batches);
    absl::int128 bytes = 0;
    for (const BlockKey& key : task.reads) {
      if (IsBoundary(key)) bytes += BlockBytes(shape, task.kind, key);
    }
    for (const BlockWrite& write : task.writes) bytes += write.size_bytes;
    most = std::max(most, bytes);
  }
  return Bounded(most);
}

}  // namespace

PoolDemand DemandOf(const JobShape& shape) {
  const StepBytes step = WalkStep(shape);
  PoolDemand demand;
  demand.set_committed_bytes(CommittedBytes(shape));
  demand.set_base_bytes(BaseBytes(shape));
  demand.set_boundary_bytes(
      std::max(step.boundaries, EvaluationBoundaryBytes(shape)));
  demand.set_gradient_bytes(step.gradients);
  demand.set_largest_write_bytes(step.largest_write);
  demand.set_rounds(shape.rounds);
  return Total(demand);
}

PoolDemand LeastDemandOf(const JobShape& shape) {
  absl::int128 largest_write = 0;
  const int blocks = static_cast<int>(shape.table->parameter_blocks.size());
  for (int block = 0; block < blocks; ++block) {
    if (shape.table->parameter_blocks[block].frozen) continue;
    largest_write = std::max(largest_write, UpdatedBytes(shape, block));
  }
  PoolDemand demand;
  demand.set_committed_bytes(CommittedBytes(shape));
  demand.set_base_bytes(BaseBytes(shape));
  if (shape.gradients_wait()) {
    demand.set_gradient_bytes(Bounded(shape.table->GradientBytes()));
  }
  demand.set_largest_write_bytes(Bounded(largest_write));
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
      pool_bytes_, " (nine tenths of it): ",
      demand.base_bytes() > 0
          ? absl::StrCat("frozen parameters ", demand.base_bytes(), ", ")
          : "",
      "parameters and optimizer state ", demand.committed_bytes(),
      ", boundaries ", demand.boundary_bytes(), ", gradients that wait ",
      demand.gradient_bytes(), ", largest write ", demand.largest_write_bytes(),
      ", lookahead of its worker ", lookahead,
      demand.rounds() > 1
          ? absl::StrCat("; with its steps in ", demand.rounds(), " rounds")
          : ""));
}

int64_t Admission::AddedBytes(const PoolDemand& demand,
                              const std::string& base) const {
  return demand.total_bytes() -
         (bases_.contains(base) ? demand.base_bytes() : 0);
}

absl::Status Admission::Admit(JobId job, const PoolDemand& demand,
                              const std::string& base, int64_t kept_bytes) {
  const int64_t added = AddedBytes(demand, base);
  const int64_t reserved = total_bytes_ + added + kept_bytes +
                           LookaheadWith(demand.largest_write_bytes());
  if (reserved > pool_bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "waits for room in the pool: needs ", added, " bytes, ",
        std::max<int64_t>(0, pool_bytes_ - reserved_bytes() - kept_bytes),
        " of ", pool_bytes_,
        " are neither promised to other jobs nor held by checkpoints"));
  }
  Readmit(job, demand, base);
  return absl::OkStatus();
}

void Admission::Readmit(JobId job, const PoolDemand& demand,
                        const std::string& base) {
  Release(job);
  total_bytes_ += AddedBytes(demand, base);
  writes_.insert(demand.largest_write_bytes());
  Promise& promise = admitted_[job];
  promise = {demand.total_bytes(), demand.largest_write_bytes(), base};
  if (base.empty()) return;
  promise.own_bytes -= demand.base_bytes();
  bases_[base].bytes = demand.base_bytes();
  ++bases_[base].jobs;
}

void Admission::Release(JobId job) {
  auto found = admitted_.find(job);
  if (found == admitted_.end()) return;
  total_bytes_ -= found->second.own_bytes;
  writes_.erase(writes_.find(found->second.largest_write_bytes));
  const auto base = bases_.find(found->second.base);
  if (base != bases_.end() && --base->second.jobs == 0) {
    total_bytes_ -= base->second.bytes;
    bases_.erase(base);
  }
  admitted_.erase(found);
}

int64_t Admission::reserved_bytes() const {
  return total_bytes_ + LookaheadWith(0);
}

}  // namespace hydra
