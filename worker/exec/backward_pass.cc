#include "worker/exec/backward_pass.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "worker/exec/block_update.h"
#include "worker/exec/shard_parameters.h"
#include "worker/exec/token_table_gradient.h"
#include "worker/model/block_views.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_ACTIVATION;
using worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BlockVersion;
using worker::v1::PassResult;

class BackwardPass {
 public:
  explicit BackwardPass(const Pass& pass)
      : pass_(pass), parameters_(pass), tapes_(pass.model.table.layer_count()) {
    if (pass.first_layer() > 0) return;
    const std::vector<int64_t>& table =
        pass.block(TokenTable()).tensors.front().shape;
    const HostBatch& batch = pass.batches.front();
    token_gradient_.emplace(
        table[0], table[1],
        pass.task.last_micro_batch() - pass.task.first_micro_batch(),
        batch.sequences * batch.context * table[1] * kFloatBytes);
  }

  PassResult Run() {
    const int count = static_cast<int>(pass_.batches.size());
    for (int i = 0; i < count; ++i) RunMicroBatch(i, i + 1 == count);
    return result_;
  }

 private:
  using Phase = LayerMeter::Phase;

  int TokenTable() const { return pass_.layer(0).parameter_blocks.front(); }

  void RunMicroBatch(int index, bool is_last) {
    pass_.meter.SetMicroBatch(index);
    const MicroBatch micro_batch =
        PromoteBatch(pass_.batches[index], pass_.io.device());
    const bool accumulate = index > 0;

    at::Tensor boundary = Recompute(index, micro_batch);
    int layer = pass_.last_layer() - 1;
    at::Tensor gradient;
    if (pass_.has_head()) {
      gradient = RunHead(std::move(boundary), micro_batch, accumulate, is_last);
      --layer;
    } else {
      boundary.reset();
      gradient =
          PromoteBoundary(pass_, BLOCK_KIND_ACTIVATION_GRADIENT,
                          pass_.last_layer(), index, BlockIo::Reuse::kNever);
    }
    for (; layer >= pass_.first_layer(); --layer) {
      pass_.meter.Begin(layer, Phase::kBackward);
      gradient =
          Differentiate(layer, std::move(gradient), micro_batch, accumulate);
      if (is_last) UpdateLayer(layer);
      pass_.meter.End();
    }
    if (pass_.first_layer() > 0) {
      DemoteBoundary(pass_, BLOCK_KIND_ACTIVATION_GRADIENT, pass_.first_layer(),
                     index, gradient);
    }
  }

  // Returns the input of the head, or of the next shard.
  at::Tensor Recompute(int index, const MicroBatch& micro_batch) {
    at::Tensor boundary;
    if (pass_.first_layer() > 0) {
      boundary =
          PromoteBoundary(pass_, BLOCK_KIND_ACTIVATION, pass_.first_layer(),
                          index, BlockIo::Reuse::kNever);
    }
    const int end = pass_.last_layer() - (pass_.has_head() ? 1 : 0);
    for (int layer = pass_.first_layer(); layer < end; ++layer) {
      pass_.meter.Begin(layer, Phase::kForward);
      parameters_.Place(layer);
      pass_.meter.ParametersPlaced();
      if (layer == 0) {
        boundary = parameters_.Forward(layer, boundary, micro_batch);
      } else {
        const int block = pass_.layer(layer).parameter_blocks.front();
        tapes_[layer] = pass_.model.layers.block(layer).Record(
            {parameters_.Block(block)}, boundary, micro_batch);
        boundary = tapes_[layer].output;
      }
      pass_.meter.End();
    }
    return boundary;
  }

  // The gradient of the head's input.
  at::Tensor RunHead(at::Tensor input, const MicroBatch& micro_batch,
                     bool accumulate, bool is_last) {
    const int layer = pass_.last_layer() - 1;
    const int norm = pass_.layer(layer).parameter_blocks.front();
    const int weight = pass_.layer(layer).parameter_blocks.back();
    pass_.meter.Begin(layer, Phase::kBackward);
    parameters_.Place(layer);
    at::Tensor input_gradient;
    const LossSum loss = pass_.model.layers.head().LossAndBackward(
        parameters_.Block(norm), parameters_.HeadWeight(), input.detach(),
        micro_batch, Gradient(norm),
        TensorViews(pass_.block(weight), Gradient(weight)).front(), accumulate,
        &input_gradient);
    input.reset();
    result_.set_loss_sum(result_.loss_sum() + loss.loss_sum);
    result_.set_loss_tokens(result_.loss_tokens() + loss.tokens);
    if (!std::isfinite(result_.loss_sum())) {
      SpoilGradients({input_gradient, Gradient(norm), Gradient(weight)});
    }
    if (is_last) UpdateLayer(layer);
    pass_.meter.End();
    return input_gradient;
  }

  // Whatever the arithmetic made of a loss that is not finite: no layer must
  // learn from it, neither here nor in an earlier shard. From here on all
  // gradients of the step are NaN.
  void SpoilGradients(const std::vector<at::Tensor>& gradients) {
    for (const at::Tensor& gradient : gradients) {
      gradient.fill_(std::numeric_limits<float>::quiet_NaN());
    }
  }

  // The gradient of the layer's input; none for the embedding.
  at::Tensor Differentiate(int layer, at::Tensor gradient,
                           const MicroBatch& micro_batch, bool accumulate) {
    const int block = pass_.layer(layer).parameter_blocks.back();
    if (layer == 0) {
      token_gradient_->Add(
          micro_batch.Inputs(),
          pass_.model.layers.embedding().Backward(gradient, Gradient(block),
                                                  accumulate, micro_batch),
          pass_.io);
      return {};
    }
    return pass_.model.layers.block(layer).Backward(
        std::move(tapes_[layer]), gradient, {Gradient(block)}, accumulate);
  }

  // Flat; made when it is first asked for, with zero padding.
  at::Tensor Gradient(int block) {
    at::Tensor& gradient = gradients_[block];
    if (!gradient.defined()) {
      gradient = pass_.io.Empty({pass_.block(block).element_count()});
      ZeroPadding(pass_.block(block), gradient);
    }
    return gradient;
  }

  at::Tensor TakeGradient(int block) {
    const auto node = gradients_.extract(block);
    return node.empty() ? at::Tensor() : node.mapped();
  }

  void UpdateLayer(int layer) {
    pass_.meter.BeginUpdate();
    for (int block : pass_.layer(layer).parameter_blocks) {
      if (pass_.block(block).owner() != layer) {
        HandDown(block);
      } else if (!Update(block)) {
        result_.add_skipped_blocks(block);
      }
    }
  }

  // False: the block was skipped.
  bool Update(int block) {
    return block == TokenTable()
               ? UpdateTokenTable(pass_, parameters_.Release(block),
                                  TakeGradient(block), *token_gradient_)
               : UpdateBlock(pass_, block, parameters_.Release(block),
                             TakeGradient(block));
  }

  // A tied block's gradient goes to the shard of its owner, or waits for it
  // here.
  void HandDown(int block) {
    const BlockVersion* written =
        pass_.blocks.FindWritten(BLOCK_KIND_PARAMETER_GRADIENT, block);
    if (written == nullptr) return;
    pass_.io.Demote(TakeGradient(block), *written, 0);
    parameters_.Release(block);
  }

  const Pass& pass_;
  ShardParameters parameters_;
  // By layer.
  std::vector<Tape> tapes_;
  // By block.
  absl::flat_hash_map<int, at::Tensor> gradients_;
  std::optional<TokenTableGradient> token_gradient_;
  PassResult result_;
};

}  // namespace

PassResult RunBackwardPass(const Pass& pass) {
  return BackwardPass(pass).Run();
}

}  // namespace hydra
