#include "worker/model/known_layers.h"

#include "common/model/bert_table.h"
#include "common/model/chain_table.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/model/resnet_table.h"
#include "common/model/vit_table.h"
#include "worker/model/bert_block.h"
#include "worker/model/bert_classifier.h"
#include "worker/model/bert_embedding.h"
#include "worker/model/classifier_layer.h"
#include "worker/model/code_layer.h"
#include "worker/model/embedding_layer.h"
#include "worker/model/head_layer.h"
#include "worker/model/llama_block.h"
#include "worker/model/resnet_block.h"
#include "worker/model/resnet_embedder.h"
#include "worker/model/resnet_head.h"
#include "worker/model/token_embedding.h"
#include "worker/model/transformer_block.h"
#include "worker/model/vit_block.h"
#include "worker/model/vit_embedding.h"

namespace hydra {

const LayerRegistry& KnownLayers() {
  static const auto& layers =
      *new LayerRegistry({{kBertEmbeddingOp, MakeLayer<BertEmbedding>},
                          {kBertBlockOp, MakeLayer<BertBlock>},
                          {kBertMaskedHeadOp, MakeLayer<HeadLayer>},
                          {kBertClassHeadOp, MakeLayer<BertClassifier>},
                          {kChainLayerOp, MakeLayer<CodeLayer>},
                          {kChainHeadOp, MakeLayer<CodeHead>},
                          {kGpt2EmbeddingOp, MakeLayer<EmbeddingLayer>},
                          {kGpt2BlockOp, MakeLayer<TransformerBlock>},
                          {kGpt2HeadOp, MakeLayer<HeadLayer>},
                          {kLlamaEmbeddingOp, MakeLayer<TokenEmbedding>},
                          {kLlamaBlockOp, MakeLayer<LlamaBlock>},
                          {kLlamaHeadOp, MakeLayer<HeadLayer>},
                          {kResnetEmbedderOp, MakeLayer<ResnetEmbedder>},
                          {kResnetBlockOp, MakeLayer<ResnetBlock>},
                          {kResnetHeadOp, MakeLayer<ResnetHead>},
                          {kVitEmbeddingOp, MakeLayer<VitEmbedding>},
                          {kVitBlockOp, MakeLayer<VitBlock>},
                          {kVitHeadOp, MakeLayer<ClassifierLayer>}});
  return layers;
}

}  // namespace hydra
