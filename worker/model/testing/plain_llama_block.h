#ifndef HYDRA_WORKER_MODEL_TESTING_PLAIN_LLAMA_BLOCK_H_
#define HYDRA_WORKER_MODEL_TESTING_PLAIN_LLAMA_BLOCK_H_

#include "common/model/model_table.h"
#include "worker/model/autograd_layer.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/testing/plain_adapters.h"

namespace hydra {

// The block of Llama and its relatives in plain operations of LibTorch,
// differentiated by its autograd: what LlamaBlock is compared with. Drops what
// LlamaBlock drops.
class PlainLlamaBlock : public AutogradLayer {
 public:
  explicit PlainLlamaBlock(const LayerContext& context);

  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override;

 private:
  at::Tensor Normalized(const at::Tensor& input,
                        const at::Tensor& weight) const;
  // [sequences, context, heads * width] as [sequences, heads, context, width].
  at::Tensor ByHead(const at::Tensor& projected) const;
  at::Tensor Rotated(const at::Tensor& heads) const;
  at::Tensor Attention(const at::Tensor& query, const at::Tensor& key,
                       const at::Tensor& value,
                       const MicroBatch& micro_batch) const;
  int64_t Integer(const char* attribute) const;

  const LayerEntry entry_;
  const int layer_;
  const PlainAdapters adapters_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_PLAIN_LLAMA_BLOCK_H_
