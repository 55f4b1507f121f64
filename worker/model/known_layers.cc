#include "worker/model/known_layers.h"

#include "common/model/gpt2_table.h"
#include "worker/model/embedding_layer.h"
#include "worker/model/head_layer.h"
#include "worker/model/transformer_block.h"

namespace hydra {

const LayerRegistry& KnownLayers() {
  static const auto& layers =
      *new LayerRegistry({{kGpt2EmbeddingOp, MakeLayer<EmbeddingLayer>},
                          {kGpt2BlockOp, MakeLayer<TransformerBlock>},
                          {kGpt2HeadOp, MakeLayer<HeadLayer>}});
  return layers;
}

}  // namespace hydra
