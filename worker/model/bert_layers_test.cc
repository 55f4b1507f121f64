// BERT's layers keep the contract of all layers.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/embedding.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"
#include "common/model/bert_table.h"
#include "common/model/lora.h"
#include "gtest/gtest.h"
#include "worker/model/dropout.h"
#include "worker/model/known_layers.h"
#include "worker/model/model_layers.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/layer_contract.h"
#include "worker/model/testing/plain_bert_block.h"

namespace hydra {
namespace {

constexpr BertHead kMasked = BertHead::kMaskedTokens;

at::Tensor DroppedOut(const at::Tensor& tensor, double dropout,
                      const MicroBatch& batch, int layer) {
  if (dropout == 0) return tensor;
  const at::Tensor kept = at::ones(tensor.sizes());
  DropOut(kept, {dropout, MaskSeed(batch.seed, layer, /*mask=*/0)});
  return tensor * kept;
}

LayerCase Embedding(double dropout) {
  const BertConfig config = TinyBertConfig(kMasked, dropout);
  LayerCase embedding;
  embedding.name = dropout > 0 ? "EmbeddingDropout" : "Embedding";
  embedding.table = BuildBertTable(config);
  embedding.registry = &KnownLayers();
  embedding.plain = [config](const Tensors& parameters, const Tensors&,
                             const MicroBatch& batch) -> Tensors {
    const at::Tensor sum =
        at::embedding(parameters[0], batch.Inputs(), config.padding_token) +
        at::embedding(parameters[2], batch.token_types) +
        parameters[1].narrow(0, 0, batch.context());
    const at::Tensor normalized =
        at::layer_norm(sum, {config.hidden_size}, parameters[3], parameters[4],
                       config.layer_norm_eps);
    return {DroppedOut(normalized, config.hidden_dropout_prob, batch, 0),
            batch.lengths};
  };
  embedding.tolerance = 2e-6;
  return embedding;
}

LayerCase Block(const std::string& name, ModelTable table) {
  LayerCase block;
  block.name = name;
  block.table = std::move(table);
  block.layer = 1;
  block.registry = &KnownLayers();
  LayerContext context{block.table.layers[1], {}, 1};
  for (int used : context.entry.parameter_blocks) {
    context.blocks.push_back(block.table.parameter_blocks[used]);
  }
  const auto plain = std::make_shared<const PlainBertBlock>(context);
  block.plain = [plain](const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& batch) {
    return plain->Compute(parameters, inputs, batch);
  };
  block.tolerance = 2e-6;
  return block;
}

LayerCase Block(const std::string& name, double dropout) {
  return Block(name, BuildBertTable(TinyBertConfig(kMasked, dropout)));
}

LayerCase Adapted(const std::string& name, double dropout,
                  const LoraConfig& lora) {
  return Block(
      name,
      WithLora(BuildBertTable(TinyBertConfig(kMasked, dropout)), lora).value());
}

// With all logits at once.
LayerCase MaskedHead(bool is_tied) {
  BertConfig config = TinyBertConfig(kMasked);
  config.tie_word_embeddings = is_tied;
  LayerCase head;
  head.name = is_tied ? "MaskedHeadTied" : "MaskedHeadOwn";
  head.table = BuildBertTable(config);
  head.layer = head.table.layer_count() - 1;
  head.registry = &KnownLayers();
  head.plain = [config](const Tensors& p, const Tensors& inputs,
                        const MicroBatch& batch) -> Tensors {
    const int64_t width = config.hidden_size;
    const at::Tensor rows = inputs.front().reshape({-1, width});
    const at::Tensor transformed =
        at::layer_norm(at::gelu(rows.mm(p[bert_head::kDenseWeight].t()) +
                                p[bert_head::kDenseBias]),
                       {width}, p[bert_head::kNormWeight],
                       p[bert_head::kNormBias], config.layer_norm_eps);
    const at::Tensor logits =
        transformed.mm(p[bert_head::kBias + 1].t()) + p[bert_head::kBias];
    return {at::cross_entropy_loss(logits, batch.Targets().reshape({-1}), {},
                                   at::Reduction::Sum, kNoTarget,
                                   batch.label_smoothing)};
  };
  head.tolerance = 2e-6;
  // Two whole slices of logits and a shorter one.
  head.sequences = 8;
  head.context = 35;
  return head;
}

LayerCase ClassHead(double dropout) {
  const BertConfig config = TinyBertConfig(BertHead::kClass, dropout);
  LayerCase head;
  head.name = dropout > 0 ? "ClassHeadDropout" : "ClassHead";
  head.table = BuildBertTable(config);
  head.layer = head.table.layer_count() - 1;
  head.registry = &KnownLayers();
  const int layer = head.layer;
  head.plain = [config, layer](const Tensors& p, const Tensors& inputs,
                               const MicroBatch& batch) -> Tensors {
    const at::Tensor pooled =
        (inputs.front().select(1, 0).mm(p[0].t()) + p[1]).tanh();
    const at::Tensor logits =
        DroppedOut(pooled, config.classifier_dropout, batch, layer)
            .mm(p[2].t()) +
        p[3];
    return {at::cross_entropy_loss(logits, batch.Targets().reshape({-1}), {},
                                   at::Reduction::Sum, -100,
                                   batch.label_smoothing)};
  };
  head.tolerance = 2e-6;
  head.sequences = 9;
  return head;
}

// The case with one of its layer's blocks frozen, as many patterns of names may
// have it.
LayerCase Frozen(LayerCase layer, const std::string& what, int block) {
  layer.name += absl::StrCat("Frozen", what);
  const int number = layer.table.layers[layer.layer].parameter_blocks[block];
  layer.table.parameter_blocks[number].frozen = true;
  return layer;
}

LayerCase Smoothed(LayerCase layer) {
  layer.name += "Smoothed";
  layer.label_smoothing = 0.1;
  return layer;
}

std::vector<LayerCase> Cases() {
  std::vector<LayerCase> cases = {
      Embedding(0),
      Embedding(0.1),
      Frozen(Embedding(0), "Tokens", 0),
      Frozen(Embedding(0), "Others", 1),
      Frozen(Frozen(Embedding(0.1), "Tokens", 0), "Others", 1),
      Block("Block", 0),
      Block("BlockDropout", 0.1),
      Frozen(Block("Block", 0), "", 0),
      Adapted("Lora", 0, {4, 8}),
      Adapted("LoraEverywhere", 0.1, {3, 5, 0.2, {kAllLinear}, true}),
      MaskedHead(true),
      MaskedHead(false),
      Smoothed(MaskedHead(true)),
      Frozen(MaskedHead(true), "Transform", 0),
      Frozen(MaskedHead(false), "Table", 1),
      ClassHead(0),
      ClassHead(0.1),
      Smoothed(ClassHead(0)),
      Frozen(ClassHead(0), "", 0),
  };
  cases.push_back(
      InTwoBytes(Frozen(Frozen(Embedding(0), "Tokens", 0), "Others", 1),
                 ElementType::kBFloat16));
  cases.push_back(
      InTwoBytes(Frozen(Frozen(MaskedHead(false), "Transform", 0), "Table", 1),
                 ElementType::kFloat16));
  cases.push_back(
      InTwoBytes(Frozen(ClassHead(0), "", 0), ElementType::kBFloat16));
  cases.push_back(
      InTwoBytes(Adapted("Lora", 0, {4, 8}), ElementType::kBFloat16));
  cases.push_back(
      InInt8(Frozen(Frozen(Embedding(0), "Tokens", 0), "Others", 1)));
  cases.push_back(
      InInt8(Frozen(Frozen(MaskedHead(false), "Transform", 0), "Table", 1)));
  cases.push_back(WithRoundedProducts(cases.back()));
  cases.push_back(InInt8(Frozen(ClassHead(0), "", 0)));
  cases.push_back(InInt8(Adapted("Lora", 0, {4, 8})));
  cases.push_back(WithRoundedProducts(Block("Block", 0)));
  cases.push_back(WithRoundedProducts(MaskedHead(true)));
  cases.push_back(WithRoundedProducts(MaskedHead(true), ElementType::kFloat16));
  cases.push_back(FrozenInPart(Embedding(0.1), "Positions",
                               {"*.position_embeddings.weight"}));
  cases.push_back(FrozenInPart(
      Embedding(0), "Types",
      {"*.word_embeddings.weight", "*.token_type_embeddings.weight"}));
  cases.push_back(InTwoBytes(
      FrozenInPart(Embedding(0), "Norm", {"*.embeddings.LayerNorm.*"}),
      ElementType::kBFloat16));
  cases.push_back(FrozenInPart(Block("Block", 0.1), "Attention",
                               {"*.layer.0.attention.*"}));
  cases.push_back(
      FrozenInPart(Block("Block", 0), "Weights", {"*.layer.0.*.weight"}));
  for (bool is_tied : {true, false}) {
    cases.push_back(FrozenInPart(MaskedHead(is_tied), "Transform",
                                 {"cls.predictions.transform.*"}));
    cases.push_back(
        FrozenInPart(MaskedHead(is_tied), "Biases", {"cls.predictions.*bias"}));
  }
  cases.push_back(FrozenInPart(ClassHead(0.1), "Pooler", {"bert.pooler.*"}));
  cases.push_back(FrozenInPart(ClassHead(0), "Weights", {"classifier.weight"}));
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Bert, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

// What comes of a batch of a model's layers, one after the other.
LayerOutput OutputOf(const ModelTable& table,
                     const std::vector<at::Tensor>& flats,
                     const MicroBatch& batch) {
  const ModelLayers layers = ModelLayers::Build(table, KnownLayers()).value();
  LayerOutput output;
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    LayerInput input;
    for (int block : table.layers[layer].parameter_blocks) {
      input.flats.push_back(flats[block]);
    }
    input.boundary = std::move(output.boundary);
    input.micro_batch = batch;
    output = layers.layer(layer).Forward(input);
  }
  return output;
}

TEST(BertTest, WhatStandsBehindASequenceDoesNotMatter) {
  for (BertHead head : {BertHead::kMaskedTokens, BertHead::kClass}) {
    const ModelTable table = BuildBertTable(TinyBertConfig(head));
    const std::vector<at::Tensor> flats = RandomFlats(table, 3);
    MicroBatch batch = RandomWholeBatch(table, 2, 12, 4, /*training=*/false);
    batch.lengths.fill_(7);
    if (head == BertHead::kMaskedTokens) {
      batch.targets.narrow(1, 7, 5).fill_(kNoTarget);
      batch.targets.select(1, 2).copy_(batch.tokens.select(1, 2));
      batch.untrained_targets =
          batch.targets.eq(kNoTarget).sum().item<int64_t>();
    }
    const double loss = OutputOf(table, flats, batch).loss.loss_sum;
    MicroBatch other = batch;
    other.tokens = batch.tokens.clone();
    other.tokens.narrow(1, 7, 6).fill_(5);
    other.token_types = batch.token_types.clone();
    other.token_types.narrow(1, 7, 5).fill_(2);
    EXPECT_EQ(OutputOf(table, flats, other).loss.loss_sum, loss);
    // And inside of it it does.
    other.tokens.select(1, 3).add_(1).remainder_(table.vocabulary_size);
    EXPECT_NE(OutputOf(table, flats, other).loss.loss_sum, loss);
  }
}

TEST(BertTest, NoTypesAreTheFirstOne) {
  const ModelTable table =
      BuildBertTable(TinyBertConfig(BertHead::kMaskedTokens));
  const std::vector<at::Tensor> flats = RandomFlats(table, 3);
  MicroBatch batch = RandomWholeBatch(table, 2, 12, 4, /*training=*/false);
  batch.token_types.zero_();
  const double loss = OutputOf(table, flats, batch).loss.loss_sum;
  batch.token_types.reset();
  EXPECT_EQ(OutputOf(table, flats, batch).loss.loss_sum, loss);
}

}  // namespace
}  // namespace hydra
