#include "worker/model/embedding_layer.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "common/model/gpt2_table.h"
#include "worker/model/block_views.h"
#include "worker/model/element_type.h"
#include "worker/model/gather_rows.h"

namespace hydra {

EmbeddingLayer::EmbeddingLayer(const LayerContext& context)
    : token_block_(context.blocks.at(kTokens)),
      position_block_(context.blocks.at(kPositions)),
      dropout_(context.entry.attributes.at(gpt2::kDropout)),
      layer_(context.layer) {}

LayerOutput EmbeddingLayer::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const MicroBatch& batch = input.micro_batch;
  const at::Tensor tokens =
      TensorViews(token_block_, input.flats[kTokens]).front();
  const at::Tensor positions =
      TensorViews(position_block_, input.flats[kPositions]).front();
  at::Tensor sum = GatherRows(tokens, batch);
  sum.add_(Widened(positions.narrow(0, 0, batch.context())));
  DropOut(sum, DropoutOf(batch));
  LayerOutput output;
  output.boundary.push_back(std::move(sum));
  return output;
}

Tape EmbeddingLayer::Record(const LayerInput& input) const {
  Tape tape;
  tape.outputs = Forward(input).boundary;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients EmbeddingLayer::Backward(Tape tape,
                                        const Tensors& output_gradients,
                                        const Tensors& flat_gradients,
                                        bool accumulate) const {
  const at::NoGradGuard no_grad;
  const MicroBatch& batch = tape.micro_batch;
  tape.outputs.clear();
  at::Tensor sum_gradient = output_gradients.front();
  if (const Dropout dropout = DropoutOf(batch); dropout.probability > 0) {
    sum_gradient = sum_gradient.clone();
    DropOut(sum_gradient, dropout);
  }
  if (const at::Tensor& flat = flat_gradients[kPositions]; flat.defined()) {
    if (!accumulate) flat.zero_();
    const at::Tensor positions = TensorViews(position_block_, flat)
                                     .front()
                                     .narrow(0, 0, batch.context());
    // One sequence after another fixes the order of the sum.
    for (const at::Tensor& sequence : sum_gradient.unbind(0)) {
      positions.add_(sequence);
    }
  }
  LayerGradients gradients;
  if (!token_block_.frozen) {
    gradients.rows = RowGradients{batch.Inputs(), sum_gradient};
  }
  return gradients;
}

Dropout EmbeddingLayer::DropoutOf(const MicroBatch& micro_batch) const {
  return {micro_batch.training ? dropout_ : 0,
          MaskSeed(micro_batch.seed, layer_, /*mask=*/0)};
}

}  // namespace hydra
