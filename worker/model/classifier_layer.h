#ifndef HYDRA_WORKER_MODEL_CLASSIFIER_LAYER_H_
#define HYDRA_WORKER_MODEL_CLASSIFIER_LAYER_H_

#include "ATen/core/Tensor.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_norm.h"
#include "worker/model/layer_registry.h"
#include "worker/model/projection.h"

namespace hydra {

// ViT's last layer: layer norm of each image's first row, the class token's,
// then a linear map to the classes, and cross entropy in nats. Forward and
// backward are one: Record keeps the input and computes nothing.
class ClassifierLayer : public Layer {
 public:
  explicit ClassifierLayer(const LayerContext& context);

  // Counts what is correct, too: of equally likely classes, the first one is
  // the most likely.
  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

  // [sequences, classes].
  at::Tensor Logits(const at::Tensor& hidden, const Tensors& flats) const;

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    at::Tensor norm_weight, norm_bias;
    Projection classifier;
  };

  Views ViewsOf(const Tensors& flats) const;
  // Of the class tokens.
  at::Tensor Normalized(const at::Tensor& tokens, const Views& p,
                        NormStatistics* statistics) const;

  const LayerBlocks blocks_;
  const double epsilon_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CLASSIFIER_LAYER_H_
