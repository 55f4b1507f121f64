#include "worker/model/embedding_layer.h"

#include "ATen/ATen.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/model/gpt2_table.h"
#include "worker/model/block_views.h"

namespace hydra {
namespace {

// Draws a new mask from the process-wide generator and applies it in place.
void DropOut(const at::Tensor& tensor, double probability) {
  const at::Tensor kept =
      at::empty(tensor.sizes(), at::kBool).bernoulli_(1 - probability);
  tensor.mul_(kept).mul_(1 / (1 - probability));
}

}  // namespace

EmbeddingLayer::EmbeddingLayer(const LayerEntry& entry,
                               const ParameterBlock& position_block, int layer)
    : position_block_(position_block),
      dropout_(entry.attributes.at(gpt2::kDropout)),
      layer_(layer) {}

at::Tensor EmbeddingLayer::Forward(const at::Tensor& token_table,
                                   const at::Tensor& flat_positions,
                                   const MicroBatch& micro_batch) const {
  const at::NoGradGuard no_grad;
  const at::Tensor positions =
      TensorViews(position_block_, flat_positions).front();
  at::Tensor sum =
      token_table.index_select(0, micro_batch.Inputs().reshape({-1}))
          .view({micro_batch.sequences(), micro_batch.context(),
                 token_table.size(1)});
  sum.add_(positions.narrow(0, 0, micro_batch.context()));
  if (DropsOut(micro_batch)) {
    SeedLayer(micro_batch, layer_);
    DropOut(sum, dropout_);
  }
  return sum;
}

at::Tensor EmbeddingLayer::Backward(const at::Tensor& output_gradient,
                                    const at::Tensor& flat_position_gradient,
                                    bool accumulate,
                                    const MicroBatch& micro_batch) const {
  const at::NoGradGuard no_grad;
  at::Tensor sum_gradient = output_gradient;
  if (DropsOut(micro_batch)) {
    sum_gradient = output_gradient.clone();
    SeedLayer(micro_batch, layer_);
    DropOut(sum_gradient, dropout_);
  }
  if (!accumulate) flat_position_gradient.zero_();
  const at::Tensor positions =
      TensorViews(position_block_, flat_position_gradient)
          .front()
          .narrow(0, 0, micro_batch.context());
  // One sequence after another fixes the order of the sum.
  for (const at::Tensor& sequence : sum_gradient.unbind(0)) {
    positions.add_(sequence);
  }
  return sum_gradient;
}

bool EmbeddingLayer::DropsOut(const MicroBatch& micro_batch) const {
  return micro_batch.training && dropout_ > 0;
}

void AddTokenRowGradients(const at::Tensor& tokens,
                          const at::Tensor& sum_gradient, int64_t first_row,
                          int64_t last_row, const at::Tensor& rows_gradient) {
  const at::NoGradGuard no_grad;
  const at::Tensor flat_tokens = tokens.reshape({-1});
  const int64_t* ids = flat_tokens.const_data_ptr<int64_t>();
  const int64_t width = sum_gradient.size(-1);
  const at::Tensor token_rows = sum_gradient.contiguous();
  TORCH_CHECK(rows_gradient.is_contiguous() && rows_gradient.size(-1) == width,
              "rows of ", width, " numbers cannot be added to a tensor of ",
              rows_gradient.sizes(), " with strides ", rows_gradient.strides());
  const float* from = token_rows.const_data_ptr<float>();
  float* const rows = rows_gradient.mutable_data_ptr<float>();
  for (int64_t i = 0; i < flat_tokens.numel(); ++i, from += width) {
    if (ids[i] < first_row || ids[i] >= last_row) continue;
    float* const to = rows + (ids[i] - first_row) * width;
    for (int64_t j = 0; j < width; ++j) to[j] += from[j];
  }
}

}  // namespace hydra
