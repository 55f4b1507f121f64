#include "common/model/gpt2_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::ElementsAre;

Gpt2Config Gpt2Small() {
  Gpt2Config config;
  config.vocab_size = 50257;
  config.n_positions = 1024;
  config.n_embd = 768;
  config.n_layer = 12;
  config.n_head = 12;
  config.n_inner = 3072;
  return config;
}

TEST(BuildGpt2TableTest, CountsThePublishedParametersOfGpt2Small) {
  EXPECT_EQ(BuildGpt2Table(Gpt2Small()).ParameterCount(), 124'439'808);
}

TEST(BuildGpt2TableTest, TiedHeadSharesTheEmbeddingsBlock) {
  const ModelTable table = BuildGpt2Table(Gpt2Small());
  ASSERT_EQ(table.layer_count(), 14);
  EXPECT_THAT(table.layers.front().parameter_blocks, ElementsAre(0, 1));
  EXPECT_THAT(table.layers.back().parameter_blocks, ElementsAre(14, 0));
  EXPECT_THAT(table.parameter_blocks[0].layers, ElementsAre(0, 13));
  EXPECT_TRUE(table.parameter_blocks[0].tied());
  EXPECT_EQ(table.parameter_blocks[0].owner(), 0);
  EXPECT_FALSE(table.parameter_blocks[14].tied());
}

TEST(BuildGpt2TableTest, UntiedHeadHasABlockOfItsOwn) {
  Gpt2Config config = Gpt2Small();
  config.tie_word_embeddings = false;
  const ModelTable table = BuildGpt2Table(config);
  EXPECT_THAT(table.layers.back().parameter_blocks, ElementsAre(14, 15));
  EXPECT_EQ(table.ParameterCount(), 124'439'808 + 50257 * 768);
}

TEST(BuildGpt2TableTest, TheTokenTableAloneIsGathered) {
  for (const ParameterBlock& block :
       BuildGpt2Table(Gpt2Small()).parameter_blocks) {
    EXPECT_EQ(block.rows_are_gathered,
              block.owner() == 0 &&
                  block.tensors[0].name == "transformer.wte.weight");
  }
}

// Pilots of earlier versions are found by it.
TEST(BuildGpt2TableTest, TheArchitectureKeyIsWhatItEverWas) {
  Gpt2Config config = Gpt2Small();
  config.embd_pdrop = 0.1;
  EXPECT_EQ(BuildGpt2Table(config).architecture_key,
            "gpt2 vocab=50257 positions=1024 width=768 layers=12 heads=12 "
            "inner=3072 tied=1 dropout=0.1,0,0");
}

TEST(BuildGpt2TableTest, OneTensorCrossesEveryBoundary) {
  const ModelTable table = BuildGpt2Table(Gpt2Small());
  EXPECT_EQ(table.BoundaryBytes(0, 2, 8), 0);
  for (int layer = 1; layer < table.layer_count(); ++layer) {
    ASSERT_EQ(table.BoundaryBefore(layer).size(), 1);
    EXPECT_THAT(table.BoundaryBefore(layer)[0].ShapeOf(2, 8),
                ElementsAre(2, 8, 768));
    EXPECT_EQ(table.BoundaryBytes(layer, 2, 8), 2 * 8 * 768 * kFloatBytes);
  }
  EXPECT_TRUE(table.layers.back().outputs.empty());
}

TEST(BuildGpt2TableTest, TensorsAreAlignedAndDoNotOverlap) {
  Gpt2Config config = Gpt2Small();
  config.n_embd = 9;
  config.n_head = 3;
  config.n_inner = 7;
  for (const ParameterBlock& block : BuildGpt2Table(config).parameter_blocks) {
    int64_t end = 0;
    for (const TensorEntry& tensor : block.tensors) {
      EXPECT_EQ(tensor.offset_bytes % kTensorAlignmentBytes, 0);
      EXPECT_GE(tensor.offset_bytes, end);
      end = tensor.offset_bytes + tensor.element_count * kFloatBytes;
    }
    EXPECT_LE(end, block.size_bytes);
    EXPECT_EQ(block.size_bytes % kTensorAlignmentBytes, 0);
  }
}

TEST(BuildGpt2TableTest, ResidualProjectionsStartSmaller) {
  const ModelTable table = BuildGpt2Table(Gpt2Small());
  for (const TensorEntry& tensor : table.parameter_blocks[2].tensors) {
    if (tensor.name == "transformer.h.0.mlp.c_proj.weight") {
      EXPECT_NEAR(tensor.init.standard_deviation, 0.02 / 4.898979, 1e-7);
    }
  }
}

}  // namespace
}  // namespace hydra
