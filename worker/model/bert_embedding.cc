#include "worker/model/bert_embedding.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "c10/core/GradMode.h"
#include "common/model/bert_table.h"
#include "worker/model/gather_rows.h"
#include "worker/model/layer_norm.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

BertEmbedding::BertEmbedding(const LayerContext& context)
    : blocks_(context),
      epsilon_(context.entry.attributes.at(bert::kEpsilon)),
      dropout_(context.entry.attributes.at(bert::kDropout)),
      padding_token_(static_cast<int64_t>(
          context.entry.attributes.at(bert::kPaddingToken))),
      layer_(context.layer) {}

at::Tensor BertEmbedding::Sum(const LayerInput& input) const {
  const MicroBatch& batch = input.micro_batch;
  const Tensors others = blocks_.WidenedViews(kOthers, input.flats);
  at::Tensor sum =
      GatherRows(blocks_.Views(kTokens, input.flats).front(), batch);
  const int64_t width = sum.size(-1);
  if (batch.token_types.defined()) {
    sum.add_(others[kTypes]
                 .index_select(0, batch.token_types.reshape({-1}))
                 .view(sum.sizes()));
  } else {
    sum.add_(others[kTypes][0]);
  }
  sum.add_(others[kPositions].narrow(0, 0, batch.context()));
  return sum.view({-1, width});
}

Tensors BertEmbedding::Outputs(const at::Tensor& sum,
                               const LayerInput& input) const {
  const MicroBatch& batch = input.micro_batch;
  const Tensors others = blocks_.WidenedViews(kOthers, input.flats);
  NormStatistics statistics;
  const at::Tensor hidden = LayerNormForward(
      sum, others[kNormWeight], others[kNormBias], epsilon_, &statistics);
  DropOut(hidden, DropoutOf(batch));
  const at::Tensor lengths =
      batch.lengths.defined() ? batch.lengths
                              : at::full({batch.sequences()}, batch.context(),
                                         batch.tokens.options());
  return {hidden.view({batch.sequences(), batch.context(), -1}), lengths};
}

LayerOutput BertEmbedding::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  LayerOutput output;
  output.boundary = Outputs(Sum(input), input);
  return output;
}

Tape BertEmbedding::Record(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  Tape tape;
  tape.saved = {Sum(input)};
  tape.outputs = Outputs(tape.saved.front(), input);
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients BertEmbedding::Backward(Tape tape,
                                       const Tensors& output_gradients,
                                       const Tensors& flat_gradients,
                                       bool accumulate) const {
  const bool are_tokens_frozen = blocks_.block(kTokens).frozen;
  if (!flat_gradients[kOthers].defined() && are_tokens_frozen) return {};
  const at::NoGradGuard no_grad;
  const MicroBatch& batch = tape.micro_batch;
  tape.outputs.clear();
  at::Tensor gradient =
      output_gradients.front().reshape({-1, output_gradients.front().size(-1)});
  if (const Dropout dropout = DropoutOf(batch); dropout.probability > 0) {
    gradient = gradient.clone();
    DropOut(gradient, dropout);
  }
  const Tensors others = blocks_.WidenedViews(kOthers, tape.parameters);
  const Tensors to = blocks_.Views(kOthers, flat_gradients);
  at::Tensor sum = std::exchange(tape.saved.front(), {});
  NormStatistics statistics;
  LayerNormForward(sum, others[kNormWeight], others[kNormBias], epsilon_,
                   &statistics);
  const at::Tensor sum_gradient = LayerNormBackward(
      gradient, sum, others[kNormWeight], statistics,
      ParameterGradients(accumulate), {to[kNormWeight], to[kNormBias]});
  sum.reset();
  gradient.reset();
  StorePositions(sum_gradient, batch, accumulate, to[kPositions]);
  StoreTypes(sum_gradient, batch, accumulate, to[kTypes]);
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  LayerGradients gradients;
  if (are_tokens_frozen) return gradients;
  const at::Tensor ids = batch.Inputs();
  at::Tensor rows = sum_gradient.view({batch.sequences(), batch.context(), -1});
  if (padding_token_ >= 0) {
    rows = rows.masked_fill(ids.eq(padding_token_).unsqueeze(-1), 0);
  }
  gradients.rows = RowGradients{ids, std::move(rows)};
  return gradients;
}

void BertEmbedding::StorePositions(const at::Tensor& sum_gradient,
                                   const MicroBatch& batch, bool accumulate,
                                   const at::Tensor& to) {
  if (!to.defined()) return;
  if (!accumulate) to.zero_();
  const at::Tensor positions = to.narrow(0, 0, batch.context());
  // One sequence after another fixes the order of the sum.
  for (const at::Tensor& sequence :
       sum_gradient.view({batch.sequences(), batch.context(), -1}).unbind(0)) {
    positions.add_(sequence);
  }
}

void BertEmbedding::StoreTypes(const at::Tensor& sum_gradient,
                               const MicroBatch& batch, bool accumulate,
                               const at::Tensor& to) {
  if (!to.defined()) return;
  const ParameterGradients store(accumulate);
  for (int64_t type = 0; type < to.size(0); ++type) {
    // The same sum, in the same order, whatever the types of others are.
    if (batch.token_types.defined()) {
      const at::Tensor is_of_it = batch.token_types.reshape({-1, 1}).eq(type);
      store.StoreRowSum(sum_gradient.masked_fill(is_of_it.logical_not(), 0),
                        to[type]);
    } else if (type == 0) {
      store.StoreRowSum(sum_gradient, to[type]);
    } else if (!accumulate) {
      to[type].zero_();
    }
  }
}

Dropout BertEmbedding::DropoutOf(const MicroBatch& micro_batch) const {
  return {micro_batch.training ? dropout_ : 0,
          MaskSeed(micro_batch.seed, layer_, /*mask=*/0)};
}

}  // namespace hydra
