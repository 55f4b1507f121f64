#include "worker/exec/shard_parameters.h"

#include <algorithm>

#include "common/chain/block_key.h"
#include "common/failpoint/fail_point.h"
#include "worker/exec/block_floats.h"

namespace hydra {

at::Tensor ShardParameters::Block(int block) {
  at::Tensor& flat = promoted_[block];
  if (!flat.defined()) {
    flat = AsElements(
        pass_.io.Promote(pass_.blocks.Read(ParametersKey(block)),
                         FloatsOf(pass_.block(block)), BlockIo::Reuse::kLikely),
        pass_.block(block).type);
  }
  return flat;
}

at::Tensor ShardParameters::Release(int block) {
  const auto node = promoted_.extract(block);
  return node.empty() ? at::Tensor() : node.mapped();
}

void ShardParameters::Place(int layer) {
  FailPoint("worker.forward", pass_.task.job_id());
  for (int block : pass_.layer(layer).parameter_blocks) {
    if (!StaysOnHost(block) && !pass_.streams(block)) Block(block);
  }
}

Tensors ShardParameters::FlatsOf(int layer) {
  Tensors flats;
  for (int block : pass_.layer(layer).parameter_blocks) {
    if (pass_.streams(block)) {
      flats.emplace_back();
      continue;
    }
    flats.push_back(
        StaysOnHost(block)
            ? AsElements(pass_.io.View(pass_.blocks.Read(ParametersKey(block)),
                                       FloatsOf(pass_.block(block))),
                         pass_.block(block).type)
            : Block(block));
  }
  return flats;
}

PoolRows* ShardParameters::RowsOf(int layer) {
  const std::vector<int>& blocks = pass_.layer(layer).parameter_blocks;
  const bool has_it =
      std::any_of(blocks.begin(), blocks.end(),
                  [this](int block) { return pass_.streams(block); });
  if (!has_it) return nullptr;
  if (rows_ == nullptr) rows_ = std::make_unique<PoolRows>(pass_);
  return rows_.get();
}

}  // namespace hydra
