#ifndef HYDRA_WORKER_MODEL_TESTING_PLAIN_BLOCK_H_
#define HYDRA_WORKER_MODEL_TESTING_PLAIN_BLOCK_H_

#include "common/model/model_table.h"
#include "worker/model/autograd_layer.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/testing/plain_adapters.h"
#include "worker/model/transformer_block.h"

namespace hydra {

// GPT-2's block in plain operations of LibTorch, differentiated by its
// autograd: what TransformerBlock is compared with. Drops what TransformerBlock
// drops.
class PlainBlock : public AutogradLayer {
 public:
  explicit PlainBlock(const LayerContext& context);

  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override;

 private:
  at::Tensor Attention(const at::Tensor& qkv,
                       const MicroBatch& micro_batch) const;
  at::Tensor DroppedOut(const at::Tensor& tensor, TransformerBlock::Mask mask,
                        const MicroBatch& micro_batch) const;

  const LayerEntry entry_;
  const int layer_;
  const PlainAdapters adapters_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_PLAIN_BLOCK_H_
