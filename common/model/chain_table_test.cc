#include "common/model/chain_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/model/config_file.h"
#include "common/model/frozen_layers.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Shape = std::vector<int64_t>;

ChainLayer Layer(const std::string& op, const Shape& output,
                 const std::vector<ChainParameter>& parameters) {
  ChainLayer layer;
  layer.op = op;
  layer.file = op + ".pt";
  layer.sha256 = std::string(64, 'f');
  layer.output = output;
  layer.parameters = parameters;
  return layer;
}

// The first and the last of three layers share a matrix.
ChainConfig Config() {
  ChainConfig chain;
  chain.input_name = "rows";
  chain.input_shape = {4, 8};
  chain.classes = 3;
  chain.layers = {
      Layer("Embed", {4, 16},
            {{"table", {16, 8}, {"weight"}}, {"0.bias", {16}, {"bias"}}}),
      Layer("Block", {16}, {{"1.weight", {16, 4}, {"weight", "again"}}}),
      Layer("Head", {3},
            {{"2.bias", {3}, {"out.bias"}},
             {"table", {16, 8}, {"table"}},
             {"2.weight", {3, 8}, {"out.weight"}}})};
  return chain;
}

std::vector<std::string> NamesOf(const ParameterBlock& block) {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : block.tensors) names.push_back(tensor.name);
  return names;
}

TEST(ChainTableTest, IsFedItsExamples) {
  const ModelTable table = BuildChainTable(Config());
  ASSERT_TRUE(table.examples.has_value());
  EXPECT_EQ(table.examples->name, "rows");
  EXPECT_THAT(table.examples->shape, ElementsAre(4, 8));
  EXPECT_EQ(table.examples->class_count, 3);
  EXPECT_EQ(table.longest_context, 1);
  EXPECT_EQ(table.vocabulary_size, 0);
}

TEST(ChainTableTest, LayersRunTheCodeOfTheirFiles) {
  const ModelTable table = BuildChainTable(Config());
  EXPECT_TRUE(table.RunsOwnCode());
  ASSERT_EQ(table.layer_count(), 3);
  EXPECT_EQ(table.layers[0].op, kChainLayerOp);
  EXPECT_EQ(table.layers[0].kind, "Embed");
  EXPECT_EQ(table.layers[2].op, kChainHeadOp);
  EXPECT_EQ(table.layers[2].attributes.at(chain::kClasses), 3);
  EXPECT_EQ(table.layers[1].file->name, "Block.pt");
  EXPECT_EQ(table.layers[1].file->sha256, std::string(64, 'f'));
  EXPECT_THAT(table.layers[0].file->input_shape, ElementsAre(4, 8));
  EXPECT_THAT(table.layers[1].file->input_shape, ElementsAre(4, 16));
}

TEST(ChainTableTest, BoundariesAreTheLayersOutputs) {
  const ModelTable table = BuildChainTable(Config());
  EXPECT_THAT(table.BoundaryBefore(1).front().ShapeOf(7, 1),
              ElementsAre(7, 4, 16));
  EXPECT_THAT(table.BoundaryBefore(2).front().ShapeOf(7, 1),
              ElementsAre(7, 16));
  EXPECT_THAT(table.layers.back().outputs, IsEmpty());
}

TEST(ChainTableTest, WhatTheSameLayersHaveIsOneBlock) {
  const ModelTable table = BuildChainTable(Config());
  ASSERT_EQ(table.parameter_blocks.size(), 4);
  EXPECT_THAT(NamesOf(table.parameter_blocks[0]), ElementsAre("table"));
  EXPECT_THAT(NamesOf(table.parameter_blocks[1]), ElementsAre("0.bias"));
  EXPECT_THAT(NamesOf(table.parameter_blocks[2]), ElementsAre("1.weight"));
  EXPECT_THAT(NamesOf(table.parameter_blocks[3]),
              ElementsAre("2.bias", "2.weight"));
  EXPECT_THAT(table.parameter_blocks[0].layers, ElementsAre(0, 2));
  EXPECT_TRUE(table.parameter_blocks[0].tied());
  EXPECT_THAT(table.layers[0].parameter_blocks, ElementsAre(0, 1));
  EXPECT_THAT(table.layers[2].parameter_blocks, ElementsAre(3, 0));
  EXPECT_EQ(table.ParameterCount(), 16 * 8 + 16 + 16 * 4 + 3 + 3 * 8);
}

TEST(ChainTableTest, AttributesAreInTheOrderOfTheBlocksTensors) {
  const ModelTable table = BuildChainTable(Config());
  EXPECT_THAT(table.layers[0].file->parameters,
              ElementsAre(ElementsAre("weight"), ElementsAre("bias")));
  EXPECT_THAT(table.layers[1].file->parameters,
              ElementsAre(ElementsAre("weight", "again")));
  EXPECT_THAT(table.layers[2].file->parameters,
              ElementsAre(ElementsAre("out.bias"), ElementsAre("out.weight"),
                          ElementsAre("table")));
}

TEST(ChainTableTest, ALayerMayBeFrozen) {
  const auto table = WithFrozen(BuildChainTable(Config()), {"1.*"});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(table->parameter_blocks[2].frozen);
  EXPECT_FALSE(table->parameter_blocks[3].frozen);
}

constexpr char kJson[] = R"({
  "model_type": "hydra_chain", "format": 1, "loss": "cross_entropy",
  "input": {"name": "x", "shape": [4], "dtype": "float32"}, "classes": 2,
  "layers": [{"op": "Linear", "file": "a.pt", "output": [2], "sha256":
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "parameters": [
      {"name": "0.weight", "shape": [2, 4], "attributes": ["weight"]}]}]})";

TEST(DescribeChainTest, TheTrainedModelIsTheSameChain) {
  const auto table = DescribeChain(kJson, {});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->config_names.file, "chain.json");
  EXPECT_EQ(TrainedModelConfig(kJson, table->config_names).value(), kJson);
  EXPECT_THAT(ConfigWarnings(kJson, table->config_names), IsEmpty());
}

TEST(DescribeChainTest, TheArchitecturesKeyIsOfAllOfIt) {
  const auto table = DescribeChain(kJson, {});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->architecture_key, StartsWith("chain "));
  std::string other = kJson;
  other.replace(other.find("a.pt"), 4, "b.pt");
  EXPECT_NE(DescribeChain(other, {})->architecture_key,
            table->architecture_key);
}

TEST(DescribeChainTest, MistakesAreTold) {
  const absl::Status status =
      DescribeChain("{\"model_type\": \"hydra_chain\"}", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("layers: missing"));
}

}  // namespace
}  // namespace hydra
