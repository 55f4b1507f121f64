#ifndef HYDRA_WORKER_MODEL_MODEL_LAYERS_H_
#define HYDRA_WORKER_MODEL_MODEL_LAYERS_H_

#include <memory>
#include <vector>

#include "common/model/model_table.h"
#include "worker/model/embedding_layer.h"
#include "worker/model/head_layer.h"
#include "worker/model/layer.h"

namespace hydra {

// The arithmetic of a whole model: layer 0 is the embedding, the last layer the
// head, those between are ChainLayers. Holds no parameters and does not refer
// to the table that it was built from. Immutable.
class ModelLayers {
 public:
  static ModelLayers Build(const ModelTable& table);

  const EmbeddingLayer& embedding() const { return embedding_; }
  // `layer` counts along the chain: 1 is the first block.
  const ChainLayer& block(int layer) const { return *blocks_[layer - 1]; }
  const HeadLayer& head() const { return head_; }

 private:
  ModelLayers(EmbeddingLayer embedding,
              std::vector<std::unique_ptr<ChainLayer>> blocks, HeadLayer head);

  EmbeddingLayer embedding_;
  std::vector<std::unique_ptr<ChainLayer>> blocks_;
  HeadLayer head_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_MODEL_LAYERS_H_
