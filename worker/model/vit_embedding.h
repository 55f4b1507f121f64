#ifndef HYDRA_WORKER_MODEL_VIT_EMBEDDING_H_
#define HYDRA_WORKER_MODEL_VIT_EMBEDDING_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/dropout.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"
#include "worker/model/projection.h"

namespace hydra {

// ViT's first layer: a linear map of each image's patches, behind the class
// token, plus positions, then dropout. Records nothing but its micro-batch. It
// has no input gradients.
class VitEmbedding : public Layer {
 public:
  explicit VitEmbedding(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    at::Tensor class_token;
    at::Tensor positions;
    // Its weight is [width, numbers of a patch].
    Projection patches;
  };

  Views ViewsOf(const Tensors& flats) const;
  // [sequences * patches, numbers of a patch]: channel after channel, row after
  // row, as a convolution's weight has them.
  at::Tensor PatchesOf(const MicroBatch& micro_batch) const;
  Dropout DropoutOf(const MicroBatch& micro_batch) const;

  const LayerBlocks blocks_;
  const int64_t channels_;
  const int64_t patch_height_;
  const int64_t patch_width_;
  // Patches below, and beside, each other.
  const int64_t patch_rows_;
  const int64_t patch_columns_;
  const double dropout_;
  const int layer_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_VIT_EMBEDDING_H_
