#include "worker/exec/shard_gradients.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "c10/core/GradMode.h"
#include "common/chain/block_key.h"
#include "worker/exec/pool_rows.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

}  // namespace

ShardGradients::ShardGradients(const Pass& pass)
    : pass_(pass), moments_(pass), use_(NewGradientUse(pass, moments_)) {
  int64_t most_rows = 0;
  for (const HostBatch& batch : pass.batches) {
    most_rows = std::max(most_rows, batch.sequences * batch.context);
  }
  for (int layer = pass.first_layer(); layer < pass.last_layer(); ++layer) {
    for (int block : pass.layer(layer).parameter_blocks) {
      if (!pass.block(block).gathered_by(layer) || pass.block(block).frozen) {
        continue;
      }
      rows_[block] = use_->NewRowSum(
          block, most_rows,
          pass.task.last_micro_batch() - pass.task.first_micro_batch());
    }
  }
}

Tensors ShardGradients::FlatsOf(int layer) {
  Tensors flats;
  for (int block : pass_.layer(layer).parameter_blocks) {
    if (pass_.block(block).frozen || pass_.block(block).gathered_by(layer) ||
        pass_.streams(block)) {
      flats.emplace_back();
      continue;
    }
    at::Tensor& sum = sums_[{layer, block}];
    if (!sum.defined()) {
      // Away from what batches of other lengths make and drop.
      const DeviceArena::HighScope kept;
      sum = pass_.io.Empty({pass_.block(block).element_count()});
      const BlockVersion* const earlier =
          pass_.blocks.FindRead(GradientSumKey(block, layer));
      if (earlier != nullptr) pass_.io.PromoteRange(*earlier, 0, sum);
    }
    flats.push_back(sum);
  }
  return flats;
}

void ShardGradients::AddRows(int layer, const RowGradients& rows) {
  for (int block : pass_.layer(layer).parameter_blocks) {
    if (!pass_.block(block).gathered_by(layer)) continue;
    use_->AddRows(block, rows, rows_.at(block));
  }
}

void ShardGradients::Finish(int layer, int block, ShardParameters& parameters) {
  const at::NoGradGuard no_grad;
  if (pass_.block(block).frozen) {
    if (IsLastUseHere(layer, block)) parameters.Release(block);
    return;
  }
  if (const BlockVersion* const sum =
          pass_.blocks.FindWritten(GradientSumKey(block, layer))) {
    KeepSum(layer, block, *sum);
    return;
  }
  if (pass_.block(block).gathered_by(layer)) {
    use_->UseGathered(block, parameters.Release(block), TakeHandedDown(block),
                      std::move(rows_.at(block)));
    return;
  }
  if (pass_.streams(block)) {
    FinishStreamed(layer, block, parameters.RowsOf(layer)->gradient());
    return;
  }
  const at::Tensor sum = sums_.extract(std::make_pair(layer, block)).mapped();
  AddLaterParts(block, sum);
  if (pass_.block(block).owner() == layer) {
    use_->Use(block, parameters.Release(block), sum);
    return;
  }
  if (!IsLastUseHere(layer, block)) {
    handed_down_[block] = sum;
    return;
  }
  pass_.io.Demote(sum, pass_.blocks.Written(ParameterGradientKey(block)), 0);
  parameters.Release(block);
}

void ShardGradients::KeepSum(int layer, int block, const BlockVersion& sum) {
  if (pass_.block(block).gathered_by(layer)) {
    use_->KeepRows(block, sum, std::move(rows_.at(block)));
  } else if (!pass_.streams(block)) {
    pass_.io.Demote(sums_.extract(std::make_pair(layer, block)).mapped(), sum,
                    /*first=*/0);
  }
}

void ShardGradients::FinishStreamed(int layer, int block,
                                    const GradientPlace& gradient) {
  // Another one's is where its owner looks for it.
  if (pass_.block(block).owner() == layer) use_->UseStreamed(block, gradient);
}

bool ShardGradients::IsLastUseHere(int layer, int block) const {
  const std::vector<int>& users = pass_.block(block).layers;
  return std::none_of(users.begin(), users.end(), [&](int user) {
    return user >= pass_.first_layer() && user < layer;
  });
}

void ShardGradients::AddLaterParts(int block, const at::Tensor& own) {
  if (const at::Tensor later = TakeHandedDown(block); later.defined()) {
    own.add_(later);
    return;
  }
  const BlockVersion* const later =
      pass_.blocks.FindRead(ParameterGradientKey(block));
  if (later == nullptr) return;
  const int64_t count = own.numel();
  const at::Tensor buffer =
      pass_.io.Empty({std::min(count, kUpdateRangeElements)});
  for (int64_t first = 0; first < count; first += kUpdateRangeElements) {
    const at::Tensor range =
        buffer.narrow(0, 0, std::min(kUpdateRangeElements, count - first));
    pass_.io.PromoteRange(*later, first, range);
    own.narrow(0, first, range.numel()).add_(range);
  }
}

at::Tensor ShardGradients::TakeHandedDown(int block) {
  const auto node = handed_down_.extract(block);
  return node.empty() ? at::Tensor() : node.mapped();
}

}  // namespace hydra
