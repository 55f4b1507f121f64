#include "worker/exec/shard_parameters.h"

#include <utility>

#include "common/failpoint/fail_point.h"
#include "worker/model/block_views.h"

namespace hydra {

at::Tensor ShardParameters::Block(int block) {
  at::Tensor& flat = promoted_[block];
  if (!flat.defined()) {
    flat = pass_.io.Promote(
        pass_.blocks.Read(worker::v1::BLOCK_KIND_PARAMETERS, block),
        pass_.block(block).element_count(), BlockIo::Reuse::kLikely);
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
    if (!StaysOnHost(block)) Block(block);
  }
}

at::Tensor ShardParameters::TokenTable() {
  const int block = pass_.layer(0).parameter_blocks.front();
  if (!StaysOnHost(block)) return AsTable(block, Block(block));
  return AsTable(
      block,
      pass_.io.View(pass_.blocks.Read(worker::v1::BLOCK_KIND_PARAMETERS, block),
                    pass_.block(block).element_count()));
}

at::Tensor ShardParameters::HeadWeight() {
  const int block = pass_.model.table.layers.back().parameter_blocks.back();
  return AsTable(block, Block(block));
}

at::Tensor ShardParameters::Forward(int layer, const at::Tensor& input,
                                    const MicroBatch& micro_batch) {
  const std::vector<int>& blocks = pass_.layer(layer).parameter_blocks;
  if (layer == 0) {
    return pass_.model.layers.embedding().Forward(
        TokenTable(), Block(blocks.back()), micro_batch);
  }
  return pass_.model.layers.block(layer).Forward({Block(blocks.front())}, input,
                                                 micro_batch);
}

bool ShardParameters::StaysOnHost(int block) const {
  const bool is_token_table =
      block == pass_.model.table.layers.front().parameter_blocks.front();
  const bool head_uses_it_here = pass_.has_head() && pass_.block(block).tied();
  return is_token_table && !head_uses_it_here;
}

at::Tensor ShardParameters::AsTable(int block, const at::Tensor& flat) const {
  return TensorViews(pass_.block(block), flat).front();
}

}  // namespace hydra
