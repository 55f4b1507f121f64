#ifndef HYDRA_WORKER_MODEL_EMBEDDING_LAYER_H_
#define HYDRA_WORKER_MODEL_EMBEDDING_LAYER_H_

#include "common/model/model_table.h"
#include "worker/model/dropout.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// GPT-2's first layer: token rows plus position rows, then dropout. Records
// nothing. Its input gradients are none, its row
// gradients may be the output's own memory.
class EmbeddingLayer : public Layer {
 public:
  explicit EmbeddingLayer(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  enum Block { kTokens, kPositions };

  Dropout DropoutOf(const MicroBatch& micro_batch) const;

  const ParameterBlock token_block_;
  const ParameterBlock position_block_;
  const double dropout_;
  const int layer_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_EMBEDDING_LAYER_H_
