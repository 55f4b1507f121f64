#ifndef HYDRA_WORKER_MODEL_RESNET_BLOCK_H_
#define HYDRA_WORKER_MODEL_RESNET_BLOCK_H_

#include <optional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "worker/model/convolution_norm.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// ResNet's residual layer: two or three convolutions, each with its batch norm,
// and relu between them; the input, or a convolution of it where the shape
// changes, is added, and relu is behind all.
//
// Record keeps what the convolutions made. Backward makes the rest again.
class ResnetBlock : public Layer {
 public:
  explicit ResnetBlock(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    std::optional<ConvolutionNorm::Views> shortcut;
    std::vector<ConvolutionNorm::Views> branch;
  };

  Views ViewsOf(const Tensors& flats) const;
  // The output; `saved`, unless it is null, gets what Backward needs.
  at::Tensor Output(const LayerInput& input, Tensors* saved) const;

  const LayerBlocks blocks_;
  std::optional<ConvolutionNorm> shortcut_;
  std::vector<ConvolutionNorm> branch_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_RESNET_BLOCK_H_
