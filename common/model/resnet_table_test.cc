#include "common/model/resnet_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/model/config_file.h"
#include "common/model/describe.h"
#include "common/model/frozen_type.h"
#include "common/model/lora.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As Microsoft publishes resnet-50, its thousand names of classes left out, and
// with the size of images.
constexpr char kFifty[] = R"({
  "_name_or_path": "microsoft/resnet-50",
  "architectures": ["ResNetForImageClassification"],
  "depths": [3, 4, 6, 3], "downsample_in_first_stage": false,
  "embedding_size": 64, "hidden_act": "relu",
  "hidden_sizes": [256, 512, 1024, 2048], "layer_type": "bottleneck",
  "model_type": "resnet", "num_channels": 3, "num_labels": 1000,
  "image_size": 224, "torch_dtype": "float32",
  "transformers_version": "4.18.0.dev0"})";

ResnetConfig Small() {
  ResnetConfig config;
  config.image_height = 19;
  config.image_width = 26;
  config.num_channels = 2;
  config.embedding_size = 8;
  config.hidden_sizes = {8, 12};
  config.depths = {1, 2};
  config.is_bottleneck = false;
  config.num_labels = 5;
  return config;
}

std::vector<std::string> NamesOf(const ParameterBlock& block) {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : block.tensors) names.push_back(tensor.name);
  return names;
}

TEST(ResnetTableTest, CountsThePublishedParameters) {
  const auto table = DescribeResnet(kFifty, {});
  ASSERT_TRUE(table.ok()) << table.status();
  // Without running means, variances and counts.
  EXPECT_EQ(table->ParameterCount(), 25'557'032);
  EXPECT_EQ(table->layer_count(), 1 + 16 + 1);
  EXPECT_THAT(ConfigWarnings(kFifty, table->config_names), IsEmpty());
}

TEST(ResnetTableTest, IsFedImages) {
  const ModelTable table = BuildResnetTable(Small());
  ASSERT_TRUE(table.examples.has_value());
  EXPECT_EQ(table.examples->name, "pixel_values");
  EXPECT_THAT(table.examples->shape, ElementsAre(2, 19, 26));
  EXPECT_EQ(table.examples->class_count, 5);
  EXPECT_EQ(table.longest_context, 1);
}

TEST(ResnetTableTest, BoundariesShrinkWithTheStrides) {
  ResnetConfig config = Small();
  const auto shapes_of = [](const ModelTable& table) {
    std::vector<std::vector<int64_t>> shapes;
    for (int layer = 1; layer < table.layer_count(); ++layer) {
      EXPECT_EQ(table.BoundaryBefore(layer).size(), 1);
      shapes.push_back(table.BoundaryBefore(layer).front().ShapeOf(7, 1));
    }
    return shapes;
  };
  EXPECT_THAT(shapes_of(BuildResnetTable(config)),
              ElementsAre(ElementsAre(7, 8, 5, 7), ElementsAre(7, 8, 5, 7),
                          ElementsAre(7, 12, 3, 4), ElementsAre(7, 12, 3, 4)));
  config.downsample_in_first_stage = true;
  EXPECT_THAT(shapes_of(BuildResnetTable(config)),
              ElementsAre(ElementsAre(7, 8, 5, 7), ElementsAre(7, 8, 3, 4),
                          ElementsAre(7, 12, 2, 2), ElementsAre(7, 12, 2, 2)));
}

TEST(ResnetTableTest, TensorsAreNamedAsTransformersNamesThem) {
  const ModelTable table = BuildResnetTable(Small());
  EXPECT_THAT(
      NamesOf(table.parameter_blocks[0]),
      ElementsAre(
          "resnet.embedder.embedder.convolution.weight",
          "resnet.embedder.embedder.normalization.weight",
          "resnet.embedder.embedder.normalization.bias",
          "resnet.embedder.embedder.normalization.running_mean",
          "resnet.embedder.embedder.normalization.running_var",
          "resnet.embedder.embedder.normalization.num_batches_tracked"));
  const std::vector<std::string> names = NamesOf(table.parameter_blocks[2]);
  EXPECT_EQ(names.size(), 3 * resnet::kTensorsOfConvolution);
  for (const char* name :
       {"resnet.encoder.stages.1.layers.0.shortcut.convolution.weight",
        "resnet.encoder.stages.1.layers.0.layer.0.normalization.bias",
        "resnet.encoder.stages.1.layers.0.layer.1.convolution.weight"}) {
    EXPECT_THAT(names, ::testing::Contains(name));
  }
  EXPECT_THAT(NamesOf(table.parameter_blocks[4]),
              ElementsAre("classifier.1.weight", "classifier.1.bias"));
}

TEST(ResnetTableTest, LayersOfOnePixelNeedTwoImages) {
  ResnetConfig config = Small();
  const auto least_of = [&] {
    std::vector<int64_t> least;
    for (const LayerEntry& layer : BuildResnetTable(config).layers) {
      least.push_back(layer.least_sequences);
    }
    return least;
  };
  EXPECT_THAT(least_of(), ElementsAre(1, 1, 1, 1, 1));
  config.image_height = config.image_width = 8;
  EXPECT_THAT(least_of(), ElementsAre(1, 1, 2, 2, 1));
  config.image_height = config.image_width = 2;
  EXPECT_THAT(least_of(), ElementsAre(2, 2, 2, 2, 1));
}

TEST(ResnetTableTest, WhatBatchNormsRememberIsNoParameter) {
  const ModelTable table = BuildResnetTable(Small());
  const ParameterBlock& block = table.parameter_blocks[0];
  EXPECT_TRUE(block.has_statistics());
  EXPECT_EQ(block.tensors[3].use, TensorUse::kStatistic);
  EXPECT_EQ(block.tensors[3].init.kind, TensorInit::Kind::kZero);
  EXPECT_EQ(block.tensors[4].use, TensorUse::kStatistic);
  EXPECT_EQ(block.tensors[4].init.kind, TensorInit::Kind::kOne);
  EXPECT_EQ(block.tensors[5].use, TensorUse::kCount);
  EXPECT_THAT(block.tensors[5].shape, IsEmpty());
  EXPECT_FALSE(table.parameter_blocks.back().has_statistics());
}

TEST(ResnetTableTest, ABottleneckHasItsStrideWhereTheConfigSays) {
  ResnetConfig config = Small();
  config.is_bottleneck = true;
  const auto convolutions_of = [&] {
    std::vector<std::vector<int64_t>> all;
    for (const ConvolutionShape& shape :
         resnet::BlockOf(BuildResnetTable(config).layers[2].attributes)
             .branch) {
      all.push_back({shape.in_channels, shape.height, shape.out_channels,
                     shape.kernel, shape.stride});
    }
    return all;
  };
  EXPECT_THAT(convolutions_of(), ElementsAre(ElementsAre(8, 5, 3, 1, 1),
                                             ElementsAre(3, 5, 3, 3, 2),
                                             ElementsAre(3, 3, 12, 1, 1)));
  config.downsample_in_bottleneck = true;
  EXPECT_THAT(convolutions_of(), ElementsAre(ElementsAre(8, 5, 3, 1, 2),
                                             ElementsAre(3, 3, 3, 3, 1),
                                             ElementsAre(3, 3, 12, 1, 1)));
}

TEST(ResnetTableTest, AShortcutHasAConvolutionWhereTheShapeChanges) {
  ResnetConfig config = Small();
  const auto has_shortcut = [&](int layer) {
    return resnet::BlockOf(BuildResnetTable(config).layers[layer].attributes)
        .shortcut.has_value();
  };
  EXPECT_FALSE(has_shortcut(1));
  EXPECT_TRUE(has_shortcut(2));
  EXPECT_FALSE(has_shortcut(3));
  config.hidden_sizes = {16, 16};
  EXPECT_TRUE(has_shortcut(1));
  EXPECT_TRUE(has_shortcut(2)) << "by its stride alone";
  config.hidden_sizes = {8, 12};
  config.downsample_in_first_stage = true;
  EXPECT_TRUE(has_shortcut(1));
}

TEST(ResnetTableTest, WhatDiffersInTimeOrMemoryHasAnotherKey) {
  const std::vector<std::pair<const char*, void (*)(ResnetConfig&)>> changes = {
      {"height", [](ResnetConfig& c) { c.image_height = 20; }},
      {"width", [](ResnetConfig& c) { c.image_width = 20; }},
      {"channels", [](ResnetConfig& c) { c.num_channels = 3; }},
      {"embedding", [](ResnetConfig& c) { c.embedding_size = 4; }},
      {"widths",
       [](ResnetConfig& c) {
         c.hidden_sizes = {8, 16};
       }},
      {"depths",
       [](ResnetConfig& c) {
         c.depths = {2, 2};
       }},
      {"type", [](ResnetConfig& c) { c.is_bottleneck = true; }},
      {"first stage",
       [](ResnetConfig& c) { c.downsample_in_first_stage = true; }},
      {"bottleneck",
       [](ResnetConfig& c) { c.downsample_in_bottleneck = true; }},
      {"classes", [](ResnetConfig& c) { c.num_labels = 6; }},
  };
  std::set<std::string> keys = {BuildResnetTable(Small()).architecture_key};
  for (const auto& [name, change] : changes) {
    ResnetConfig config = Small();
    change(config);
    EXPECT_TRUE(keys.insert(BuildResnetTable(config).architecture_key).second)
        << name;
  }
}

// A product with the weight for each pixel, of which one is counted as that of
// a token.
TEST(ResnetTableTest, ConvolutionsCountForEachPixel) {
  const ModelTable table = BuildResnetTable(Small());
  EXPECT_EQ(table.layers[0].flops_per_token_pair,
            2 * (8 * 2 * 7 * 7) * (10 * 13 - 1));
  EXPECT_EQ(table.layers[1].flops_per_token_pair,
            2 * 2 * (8 * 8 * 3 * 3) * (5 * 7 - 1));
}

TEST(ResnetTableTest, TheLargestDimensionsFit64Bits) {
  ResnetConfig config;
  config.image_height = 1 << 14;
  config.image_width = 1 << 14;
  config.num_channels = 1 << 10;
  config.embedding_size = 1 << 14;
  config.hidden_sizes = {1 << 14};
  config.depths = {2};
  config.is_bottleneck = false;
  const ModelTable table = BuildResnetTable(config);
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    const LayerEntry& entry = table.layers[layer];
    EXPECT_GE(entry.flops_per_token_pair, 0);
    for (const auto* moments :
         {&entry.memory.forward, &entry.memory.backward}) {
      for (const std::vector<BoundaryTensor>& moment : *moments) {
        EXPECT_GT(BytesOf(moment, 1, 1), 0);
      }
    }
  }
  EXPECT_GT(table.LargestBoundaryBytes(1, 1), 0);
}

TEST(ResnetTableTest, WhatNoResnetHasIsRefused) {
  const auto error_of = [](const ModelOverrides& overrides) {
    const absl::Status status = Describe(kFifty, overrides).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  ModelOverrides dropout;
  dropout.dropout = 0.5;
  EXPECT_THAT(error_of(dropout), HasSubstr("no dropout; found train.dropout "
                                           "0.5"));
  dropout.dropout = 0;
  EXPECT_TRUE(Describe(kFifty, dropout).ok());
  ModelOverrides rounded;
  rounded.product_type = ElementType::kBFloat16;
  EXPECT_THAT(error_of(rounded), HasSubstr("train.bf16"));
  rounded.product_type = ElementType::kFloat16;
  EXPECT_THAT(error_of(rounded), HasSubstr("train.fp16"));
  ModelOverrides lora;
  lora.lora = {8, 8};
  EXPECT_THAT(error_of(lora), HasSubstr("no linear maps to adapt"));
}

// As published ones are: a layer's tensors together.
TEST(ResnetTableTest, LayersAreFrozenByTheirNames) {
  ModelOverrides overrides;
  overrides.frozen = {"resnet.embedder.*", "resnet.encoder.stages.0.*"};
  overrides.frozen_type = ElementType::kBFloat16;
  const auto table = Describe(kFifty, overrides);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->FirstTrainedLayer(), 4);
  // What a batch norm remembers has no room in two bytes.
  EXPECT_EQ(table->parameter_blocks[0].type, ElementType::kFloat32);
  ModelTable head = BuildResnetTable(Small());
  head.parameter_blocks.back().frozen = true;
  EXPECT_EQ(
      WithFrozenType(head, ElementType::kBFloat16).parameter_blocks.back().type,
      ElementType::kBFloat16);
}

TEST(ResnetTableTest, TheTrainedConfigKeepsItsImagesSizeAndClasses) {
  constexpr char kConfig[] = R"({"model_type": "resnet", "image_size": 32,
    "id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}})";
  const auto trained =
      TrainedModelConfig(kConfig, BuildResnetTable(Small()).config_names);
  ASSERT_TRUE(trained.ok()) << trained.status();
  EXPECT_THAT(*trained, HasSubstr("\"image_size\": 32"));
  EXPECT_THAT(*trained, HasSubstr("\"cat\""));
  EXPECT_THAT(*trained, HasSubstr("ResNetForImageClassification"));
}

}  // namespace
}  // namespace hydra
