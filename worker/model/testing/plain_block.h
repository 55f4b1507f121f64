#ifndef HYDRA_WORKER_MODEL_TESTING_PLAIN_BLOCK_H_
#define HYDRA_WORKER_MODEL_TESTING_PLAIN_BLOCK_H_

#include "common/model/model_table.h"
#include "worker/model/autograd_layer.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// GPT-2's block in plain operations of LibTorch, differentiated by its
// autograd: what TransformerBlock is compared with. Drops what TransformerBlock
// drops.
class PlainBlock : public AutogradLayer {
 public:
  explicit PlainBlock(const LayerContext& context);

  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override;

 protected:
  bool DrawsRandomNumbers(const MicroBatch& micro_batch) const override;

 private:
  at::Tensor Attention(const at::Tensor& qkv, bool training) const;
  at::Tensor DropOut(const at::Tensor& tensor, double probability,
                     bool training) const;

  const LayerEntry entry_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_PLAIN_BLOCK_H_
