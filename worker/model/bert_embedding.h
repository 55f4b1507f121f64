#ifndef HYDRA_WORKER_MODEL_BERT_EMBEDDING_H_
#define HYDRA_WORKER_MODEL_BERT_EMBEDDING_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/dropout.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// BERT's first layer: token rows plus position rows plus those of the token
// types, a layer norm, then dropout. Beside it hands on the sequences' lengths.
// Records the sum before the norm. It has no input gradients.
class BertEmbedding : public Layer {
 public:
  explicit BertEmbedding(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  enum Block { kTokens, kOthers };
  // Of the second block.
  enum Other { kPositions, kTypes, kNormWeight, kNormBias };

  // [tokens, width].
  at::Tensor Sum(const LayerInput& input) const;
  // The norm of the sum, and the lengths.
  Tensors Outputs(const at::Tensor& sum, const LayerInput& input) const;
  // Those of positions and of types, from the sum's, where they are wanted.
  static void StorePositions(const at::Tensor& sum_gradient,
                             const MicroBatch& micro_batch, bool accumulate,
                             const at::Tensor& to);
  static void StoreTypes(const at::Tensor& sum_gradient,
                         const MicroBatch& micro_batch, bool accumulate,
                         const at::Tensor& to);
  Dropout DropoutOf(const MicroBatch& micro_batch) const;

  const LayerBlocks blocks_;
  const double epsilon_;
  const double dropout_;
  const int64_t padding_token_;
  const int layer_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_BERT_EMBEDDING_H_
