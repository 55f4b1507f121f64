#ifndef HYDRA_WORKER_MODEL_RESNET_HEAD_H_
#define HYDRA_WORKER_MODEL_RESNET_HEAD_H_

#include "ATen/core/Tensor.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"
#include "worker/model/projection.h"

namespace hydra {

// ResNet's last layer: the mean of each channel of an image, a linear map of
// these to the classes, and cross entropy in nats. Forward and backward are
// one: Record keeps the input and computes nothing.
class ResnetHead : public Layer {
 public:
  explicit ResnetHead(const LayerContext& context);

  // Counts what is correct, too, see ClassLoss.
  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

  // [sequences, classes].
  at::Tensor Logits(const at::Tensor& images, const Tensors& flats) const;

 private:
  // The block's tensors, or where their gradients go.
  Projection ClassifierOf(const Tensors& flats) const;

  const LayerBlocks blocks_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_RESNET_HEAD_H_
