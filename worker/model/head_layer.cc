#include "worker/model/head_layer.h"

#include <algorithm>

#include "ATen/core/Tensor.h"
#include "ATen/ops/_log_softmax.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/empty.h"
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

// Turns a slice's logits into log-probabilities, in place.
double LogSoftmaxLoss(at::Tensor& logits, const int64_t* targets) {
  at::_log_softmax_out(logits, logits, /*dim=*/1, /*half_to_float=*/false);
  const float* log_probabilities = logits.const_data_ptr<float>();
  double loss = 0;
  for (int64_t i = 0; i < logits.size(0); ++i) {
    loss -= log_probabilities[i * logits.size(1) + targets[i]];
  }
  return loss;
}

// Turns a slice's log-probabilities into the logits' gradient, in place.
void SoftmaxGradient(at::Tensor& log_probabilities, const int64_t* targets) {
  log_probabilities.exp_();
  float* gradient = log_probabilities.mutable_data_ptr<float>();
  for (int64_t i = 0; i < log_probabilities.size(0); ++i) {
    gradient[i * log_probabilities.size(1) + targets[i]] -= 1;
  }
}

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
  const at::Tensor targets = input.micro_batch.Targets().contiguous();
  const int64_t* target_ids = targets.const_data_ptr<int64_t>();

  LayerOutput output;
  output.loss.tokens = targets.numel();
  LogitsBuffer buffer(output.loss.tokens, weight);
  ForEachSlice(normalized, [&](int64_t first, const at::Tensor& rows) {
    at::Tensor logits = buffer.Fill(rows, weight);
    output.loss.loss_sum += LogSoftmaxLoss(logits, target_ids + first);
  });
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
  const at::Tensor targets = tape.micro_batch.Targets().contiguous();
  const int64_t* target_ids = targets.const_data_ptr<int64_t>();
  const double scale = tape.micro_batch.gradient_scale;

  LayerGradients gradients;
  gradients.loss.tokens = targets.numel();
  {
    LogitsBuffer buffer(gradients.loss.tokens, weight);
    ForEachSlice(normalized, [&](int64_t first, at::Tensor rows) {
      at::Tensor logits = buffer.Fill(rows, weight);
      gradients.loss.loss_sum += LogSoftmaxLoss(logits, target_ids + first);
      SoftmaxGradient(logits, target_ids + first);
      weight_gradient.addmm_(logits.t(), rows,
                             /*beta=*/accumulate || first > 0 ? 1 : 0, scale);
      // From here on the norm's output is its own gradient.
      at::addmm_out(rows, rows, logits, weight, /*beta=*/0, scale);
    });
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
