#ifndef HYDRA_WORKER_MODEL_AUTOGRAD_LAYER_H_
#define HYDRA_WORKER_MODEL_AUTOGRAD_LAYER_H_

#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// A layer of which only the forward is written down: LibTorch's autograd
// derives the backward. Gathers no rows.
class AutogradLayer : public Layer {
 public:
  explicit AutogradLayer(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const final;
  Tape Record(const LayerInput& input) const final;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const final;

 protected:
  // The arithmetic. `parameters` are the tensors of all its blocks, as
  // LayerBlocks has them, one block after another; `inputs` are the boundary
  // tensors before it. Returns those behind it; of the last layer one number,
  // the sum of the losses of the micro-batch's target tokens.
  virtual Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                          const MicroBatch& micro_batch) const = 0;

 private:
  Tensors ViewsOf(const Tensors& flats) const;

  const LayerBlocks blocks_;
  const bool makes_loss_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_AUTOGRAD_LAYER_H_
