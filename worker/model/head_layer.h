#ifndef HYDRA_WORKER_MODEL_HEAD_LAYER_H_
#define HYDRA_WORKER_MODEL_HEAD_LAYER_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// Tokens whose logits exist at once. Part of the arithmetic: another number
// would sum the weight's gradient in another order.
inline constexpr int64_t kLossSliceTokens = 128;

// Sum of the target tokens' cross entropies in nats, added in token order.
struct LossSum {
  double loss_sum = 0;
  int64_t tokens = 0;
};

// The chain's last layer: final norm, projection to the vocabulary, cross
// entropy. Beside its arguments and the normalized input it needs
// SliceBytes(vocab). Immutable; the rules of ChainLayer hold.
class HeadLayer {
 public:
  HeadLayer(const LayerEntry& entry, const ParameterBlock& norm_block);

  // Bytes of one slice of logits.
  static int64_t SliceBytes(int64_t vocab_size) {
    return kLossSliceTokens * vocab_size * kFloatBytes;
  }

  // `flat_norm`: the norm's block. `weight`: [vocab, width]. `input`:
  // [sequences, context, width].
  LossSum Loss(const at::Tensor& flat_norm, const at::Tensor& weight,
               const at::Tensor& input, const MicroBatch& micro_batch) const;

  // The same, and the gradients of loss_sum * gradient_scale. Those of the
  // parameters are added to `flat_norm_gradient` and `weight_gradient`
  // ([vocab, width]); unless `accumulate`, what these held is overwritten, the
  // norm's padding included. Sets `*input_gradient`.
  LossSum LossAndBackward(const at::Tensor& flat_norm, const at::Tensor& weight,
                          const at::Tensor& input,
                          const MicroBatch& micro_batch,
                          const at::Tensor& flat_norm_gradient,
                          const at::Tensor& weight_gradient, bool accumulate,
                          at::Tensor* input_gradient) const;

 private:
  ParameterBlock norm_block_;
  double epsilon_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_HEAD_LAYER_H_
