#ifndef HYDRA_WORKER_MODEL_TESTING_PLAIN_BERT_BLOCK_H_
#define HYDRA_WORKER_MODEL_TESTING_PLAIN_BERT_BLOCK_H_

#include "common/model/model_table.h"
#include "worker/model/autograd_layer.h"
#include "worker/model/bert_block.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/testing/plain_adapters.h"

namespace hydra {

// BERT's encoder block in plain operations of LibTorch, differentiated by its
// autograd: what BertBlock is compared with. Drops what BertBlock drops.
class PlainBertBlock : public AutogradLayer {
 public:
  explicit PlainBertBlock(const LayerContext& context);

  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override;

 private:
  // Of rows, by the mask's probability.
  at::Tensor DroppedOut(const at::Tensor& tensor, BertBlock::Mask mask,
                        const MicroBatch& micro_batch) const;

  const LayerEntry entry_;
  const int layer_;
  const PlainAdapters adapters_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_PLAIN_BERT_BLOCK_H_
