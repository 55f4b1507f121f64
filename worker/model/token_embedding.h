#ifndef HYDRA_WORKER_MODEL_TOKEN_EMBEDDING_H_
#define HYDRA_WORKER_MODEL_TOKEN_EMBEDDING_H_

#include <cstdint>

#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// Llama's first layer: token rows. Records nothing. Its input gradients are
// none; its row gradients may be the output's own memory, and are zero for the
// padding token, as torch.nn.Embedding's are for its padding_idx.
class TokenEmbedding : public Layer {
 public:
  explicit TokenEmbedding(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  const ParameterBlock block_;
  // -1: none.
  const int64_t padding_token_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TOKEN_EMBEDDING_H_
