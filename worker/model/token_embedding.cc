#include "worker/model/token_embedding.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "common/model/llama_table.h"
#include "worker/model/block_views.h"
#include "worker/model/gather_rows.h"

namespace hydra {

TokenEmbedding::TokenEmbedding(const LayerContext& context)
    : block_(context.blocks.front()),
      padding_token_(static_cast<int64_t>(
          context.entry.attributes.at(llama::kPaddingToken))) {}

LayerOutput TokenEmbedding::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  LayerOutput output;
  output.boundary = {GatherRows(
      TensorViews(block_, input.flats.front()).front(), input.micro_batch)};
  return output;
}

Tape TokenEmbedding::Record(const LayerInput& input) const {
  Tape tape;
  tape.outputs = Forward(input).boundary;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients TokenEmbedding::Backward(Tape tape,
                                        const Tensors& output_gradients,
                                        const Tensors& /*flat_gradients*/,
                                        bool /*accumulate*/) const {
  if (block_.frozen) return {};
  const at::NoGradGuard no_grad;
  const at::Tensor ids = tape.micro_batch.Inputs();
  at::Tensor rows = output_gradients.front();
  if (padding_token_ >= 0) {
    rows = rows.masked_fill(ids.eq(padding_token_).unsqueeze(-1), 0);
  }
  LayerGradients gradients;
  gradients.rows = RowGradients{ids, std::move(rows)};
  return gradients;
}

}  // namespace hydra
