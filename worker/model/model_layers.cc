#include "worker/model/model_layers.h"

#include <utility>

#include "worker/model/transformer_block.h"

namespace hydra {

ModelLayers ModelLayers::Build(const ModelTable& table) {
  const std::vector<ParameterBlock>& blocks = table.parameter_blocks;
  const int last = table.layer_count() - 1;
  std::vector<std::unique_ptr<ChainLayer>> chain;
  for (int layer = 1; layer < last; ++layer) {
    const int block = table.layers[layer].parameter_blocks.front();
    chain.push_back(std::make_unique<TransformerBlock>(table.layers[layer],
                                                       blocks[block], layer));
  }
  const int positions = table.layers.front().parameter_blocks[1];
  const int norm = table.layers.back().parameter_blocks[0];
  return ModelLayers(EmbeddingLayer(table.layers.front(), blocks[positions], 0),
                     std::move(chain),
                     HeadLayer(table.layers.back(), blocks[norm]));
}

ModelLayers::ModelLayers(EmbeddingLayer embedding,
                         std::vector<std::unique_ptr<ChainLayer>> blocks,
                         HeadLayer head)
    : embedding_(std::move(embedding)),
      blocks_(std::move(blocks)),
      head_(std::move(head)) {}

}  // namespace hydra
