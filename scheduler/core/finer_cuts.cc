#include "scheduler/core/finer_cuts.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "scheduler/core/admission.h"
#include "scheduler/core/rounds.h"

namespace hydra {
namespace {

// Of the parameters that the layers own and train: what they write follows from
// it.
int64_t OwnedBytes(const ModelTable& table, const LayerRange& layers) {
  int64_t bytes = 0;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (!block.frozen && layers.Contains(block.owner())) {
      bytes += block.size_bytes;
    }
  }
  return bytes;
}

// The layer before which the two parts differ least.
int MiddleOf(const ModelTable& table, const LayerRange& shard) {
  const int64_t all = OwnedBytes(table, shard);
  int middle = shard.first + 1;
  int64_t least = all + 1;
  for (int cut = shard.first + 1; cut < shard.last; ++cut) {
    const int64_t before = OwnedBytes(table, {shard.first, cut});
    const int64_t difference = std::abs(all - 2 * before);
    if (difference < least) {
      least = difference;
      middle = cut;
    }
  }
  return middle;
}

bool FitsInRounds(JobShape shape,
                  absl::FunctionRef<bool(const hydra::v1::PoolDemand&)> fits) {
  shape.rounds = RoundsThatFit(shape, fits);
  return fits(DemandOf(shape));
}

}  // namespace

std::optional<std::vector<int>> FinerCuts(
    JobShape shape,
    absl::FunctionRef<bool(const hydra::v1::PoolDemand&)> fits) {
  const ModelTable& table = *shape.table;
  while (!FitsInRounds(shape, fits)) {
    const auto largest =
        std::max_element(shape.shards.begin(), shape.shards.end(),
                         [&table](const LayerRange& a, const LayerRange& b) {
                           return OwnedBytes(table, a) < OwnedBytes(table, b);
                         });
    if (largest->last - largest->first < 2) return std::nullopt;
    const int middle = MiddleOf(table, *largest);
    const LayerRange before{largest->first, middle};
    largest->first = middle;
    shape.shards.insert(largest, before);
  }
  std::vector<int> cuts;
  for (const LayerRange& shard : shape.shards) {
    if (shard.first > 0) cuts.push_back(shard.first);
  }
  return cuts;
}

}  // namespace hydra
