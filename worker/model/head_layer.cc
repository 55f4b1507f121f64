#include "worker/model/head_layer.h"

#include <algorithm>

#include "ATen/core/Tensor.h"
#include "ATen/ops/_log_softmax.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/full.h"
#include "ATen/ops/gather.h"
#include "ATen/ops/mm.h"
#include "c10/core/GradMode.h"
#include "common/model/gpt2_table.h"
#include "worker/model/block_views.h"
#include "worker/model/layer_norm.h"

namespace hydra {
namespace {

// Room for one slice of logits, used again for each.
class LogitsBuffer {
 public:
  LogitsBuffer(int64_t tokens, const at::Tensor& weight)
      : buffer_(at::empty({std::min(tokens, kLossSliceTokens), weight.size(0)},
                          weight.options())) {}

  at::Tensor Fill(const at::Tensor& normalized, const at::Tensor& weight) {
    at::Tensor logits = buffer_.narrow(0, 0, normalized.size(0));
    at::mm_out(logits, normalized, weight.t());
    return logits;
  }

 private:
  at::Tensor buffer_;
};

// The targets' log-probabilities of all slices, for the loss: fetched from the
// device once, and added in the tokens' order.
class TargetScores {
 public:
  TargetScores(const MicroBatch& micro_batch, const at::Tensor& weight)
      : targets_(micro_batch.Targets().reshape({-1, 1})),
        scores_(at::empty(targets_.sizes(), weight.options())) {}

  // Turns the logits of a slice into log-probabilities, in place.
  void LogSoftmax(int64_t first, at::Tensor& logits) {
    at::_log_softmax_out(logits, logits, /*dim=*/1, /*half_to_float=*/false);
    at::Tensor scores = scores_.narrow(0, first, logits.size(0));
    at::gather_out(scores, logits, /*dim=*/1, TargetsOf(first, logits));
  }

  // Turns those into the gradient of the slice's loss.
  void SoftmaxGradient(int64_t first, at::Tensor& log_probabilities) const {
    log_probabilities.exp_().scatter_add_(
        1, TargetsOf(first, log_probabilities),
        minus_one_.expand({log_probabilities.size(0), 1}));
  }

  LossSum Loss() const {
    const at::Tensor on_host = scores_.cpu();
    const float* const scores = on_host.const_data_ptr<float>();
    LossSum loss;
    loss.tokens = on_host.numel();
    for (int64_t i = 0; i < loss.tokens; ++i) loss.loss_sum -= scores[i];
    return loss;
  }

 private:
  at::Tensor TargetsOf(int64_t first, const at::Tensor& slice) const {
    return targets_.narrow(0, first, slice.size(0));
  }

  // Both [tokens, 1].
  const at::Tensor targets_;
  const at::Tensor scores_;
  const at::Tensor minus_one_ = at::full({1, 1}, -1.0f, scores_.options());
};

// Calls body(first token, rows of `normalized`) for slice after slice.
template <typename Body>
void ForEachSlice(const at::Tensor& normalized, Body body) {
  const int64_t tokens = normalized.size(0);
  for (int64_t first = 0; first < tokens; first += kLossSliceTokens) {
    body(first, normalized.narrow(0, first,
                                  std::min(kLossSliceTokens, tokens - first)));
  }
}

}  // namespace

HeadLayer::HeadLayer(const LayerContext& context)
    : norm_block_(context.blocks.at(kNorm)),
      weight_block_(context.blocks.at(kWeight)),
      epsilon_(context.entry.attributes.at(gpt2::kEpsilon)) {}

LayerOutput HeadLayer::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& hidden = input.boundary.front();
  const Tensors norm = TensorViews(norm_block_, input.flats[kNorm]);
  const at::Tensor weight =
      TensorViews(weight_block_, input.flats[kWeight]).front();
  NormStatistics statistics;
  const at::Tensor normalized =
      LayerNormForward(hidden, norm[0], norm[1], epsilon_, &statistics)
          .view({-1, hidden.size(-1)});
  TargetScores scores(input.micro_batch, weight);
  LogitsBuffer buffer(normalized.size(0), weight);
  ForEachSlice(normalized, [&](int64_t first, const at::Tensor& rows) {
    at::Tensor logits = buffer.Fill(rows, weight);
    scores.LogSoftmax(first, logits);
  });
  LayerOutput output;
  output.loss = scores.Loss();
  return output;
}

Tape HeadLayer::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = {input.boundary.front().detach()};
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients HeadLayer::Backward(Tape tape,
                                   const Tensors& /*output_gradients*/,
                                   const Tensors& flat_gradients,
                                   bool accumulate) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& hidden = tape.inputs.front();
  const Tensors norm = TensorViews(norm_block_, tape.parameters[kNorm]);
  const at::Tensor weight =
      TensorViews(weight_block_, tape.parameters[kWeight]).front();
  const at::Tensor weight_gradient =
      TensorViews(weight_block_, flat_gradients[kWeight]).front();
  NormStatistics statistics;
  const at::Tensor normalized =
      LayerNormForward(hidden, norm[0], norm[1], epsilon_, &statistics)
          .view({-1, hidden.size(-1)});
  const double scale = tape.micro_batch.gradient_scale;

  LayerGradients gradients;
  {
    TargetScores scores(tape.micro_batch, weight);
    LogitsBuffer buffer(normalized.size(0), weight);
    ForEachSlice(normalized, [&](int64_t first, at::Tensor rows) {
      at::Tensor logits = buffer.Fill(rows, weight);
      scores.LogSoftmax(first, logits);
      scores.SoftmaxGradient(first, logits);
      weight_gradient.addmm_(logits.t(), rows,
                             /*beta=*/accumulate || first > 0 ? 1 : 0, scale);
      // From here on the norm's output is its own gradient.
      at::addmm_out(rows, rows, logits, weight, /*beta=*/0, scale);
    });
    gradients.loss = scores.Loss();
  }
  const Tensors norm_gradients =
      TensorViews(norm_block_, flat_gradients[kNorm]);
  gradients.inputs = {
      LayerNormBackward(normalized, hidden.view(normalized.sizes()), norm[0],
                        statistics, ParameterGradients(accumulate),
                        {norm_gradients[0], norm_gradients[1]})
          .view(hidden.sizes())};
  if (!accumulate) {
    ZeroPadding(norm_block_, flat_gradients[kNorm]);
    ZeroPadding(weight_block_, flat_gradients[kWeight]);
  }
  return gradients;
}

}  // namespace hydra
