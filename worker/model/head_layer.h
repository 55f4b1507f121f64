#ifndef HYDRA_WORKER_MODEL_HEAD_LAYER_H_
#define HYDRA_WORKER_MODEL_HEAD_LAYER_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// Tokens whose logits exist at once. Part of the arithmetic: another number
// would sum the weight's gradient in another order.
inline constexpr int64_t kLossSliceTokens = 128;

// GPT-2's last layer: final norm, projection to the vocabulary, cross entropy
// in nats. Beside its arguments and the normalized input it needs
// SliceBytes(vocabulary). Forward and backward are one: Record keeps the input
// and computes nothing.
class HeadLayer : public Layer {
 public:
  explicit HeadLayer(const LayerContext& context);

  // Bytes of one slice of logits.
  static int64_t SliceBytes(int64_t vocabulary_size) {
    return kLossSliceTokens * vocabulary_size * kFloatBytes;
  }

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  enum Block { kNorm, kWeight };

  const ParameterBlock norm_block_;
  const ParameterBlock weight_block_;
  const double epsilon_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_HEAD_LAYER_H_
