#include "common/model/frozen_layers.h"

#include "common/model/describe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Blocks: tokens, positions, two layers, the final norm; the head is tied.
ModelTable Base() {
  return Describe(R"({"model_type": "gpt2", "vocab_size": 512,
                      "n_positions": 32, "n_embd": 64, "n_layer": 2,
                      "n_head": 4})",
                  {})
      .value();
}

std::vector<int> FrozenBlocks(const std::vector<std::string>& patterns) {
  const auto table = WithFrozen(Base(), patterns);
  EXPECT_TRUE(table.ok()) << table.status();
  std::vector<int> frozen;
  for (size_t i = 0; table.ok() && i < table->parameter_blocks.size(); ++i) {
    if (table->parameter_blocks[i].frozen) {
      frozen.push_back(static_cast<int>(i));
    }
  }
  return frozen;
}

std::string Refusal(const std::vector<std::string>& patterns) {
  const absl::Status status = WithFrozen(Base(), patterns).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(FrozenLayersTest, WholeBlocksAreFrozen) {
  EXPECT_THAT(FrozenBlocks({}), ElementsAre());
  EXPECT_THAT(FrozenBlocks({"transformer.w?e.weight"}), ElementsAre(0, 1));
  EXPECT_THAT(FrozenBlocks({"*.h.0.*"}), ElementsAre(2));
  EXPECT_THAT(FrozenBlocks({"*.h.[01].*", "*.ln_f.*"}), ElementsAre(2, 3, 4));
  // By the name that a tied head has.
  EXPECT_THAT(FrozenBlocks({"lm_head.weight"}), ElementsAre(0));
  // Each half of a block's tensors by a pattern of its own.
  EXPECT_THAT(FrozenBlocks({"*.h.1.*.weight", "*.h.1.*.bias"}), ElementsAre(3));
}

std::vector<std::string> NamesIn(const ParameterBlock& block) {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : block.tensors) names.push_back(tensor.name);
  return names;
}

TEST(FrozenLayersTest, APartOfABlockIsABlockOfItsOwnBehindTheOthers) {
  const ModelTable base = Base();
  const ModelTable table =
      WithFrozen(base, {"*.h.1.mlp.*", "*.h.1.ln_1.weight", "*.h.0.*"}).value();
  ASSERT_EQ(table.parameter_blocks.size(), 6);
  // Whole, as before.
  EXPECT_TRUE(table.parameter_blocks[2].frozen);
  EXPECT_TRUE(table.parameter_blocks[2].places.empty());
  const ParameterBlock& trained = table.parameter_blocks[3];
  const ParameterBlock& frozen = table.parameter_blocks[5];
  EXPECT_FALSE(trained.frozen);
  EXPECT_TRUE(frozen.frozen);
  EXPECT_EQ(trained.divided_from, -1);
  EXPECT_EQ(frozen.divided_from, 3);
  EXPECT_THAT(frozen.places, ElementsAre(0, 8, 9, 10, 11));
  EXPECT_THAT(trained.places, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(NamesIn(frozen), ElementsAre("transformer.h.1.ln_1.weight",
                                           "transformer.h.1.mlp.c_fc.weight",
                                           "transformer.h.1.mlp.c_fc.bias",
                                           "transformer.h.1.mlp.c_proj.weight",
                                           "transformer.h.1.mlp.c_proj.bias"));
  EXPECT_THAT(table.layers[2].parameter_blocks, ElementsAre(3, 5));
  EXPECT_THAT(table.layers[1].parameter_blocks, ElementsAre(2));
  EXPECT_THAT(frozen.layers, ElementsAre(2));
  EXPECT_THAT(trained.layers, ElementsAre(2));
  EXPECT_EQ(table.FirstTrainedLayer(), 0);
  // Nothing is lost, and each lies where its part has room for it.
  const ParameterBlock& whole = base.parameter_blocks[3];
  EXPECT_EQ(trained.size_bytes + frozen.size_bytes, whole.size_bytes);
  EXPECT_EQ(table.ParameterCount(), base.ParameterCount());
  for (const ParameterBlock* part : {&trained, &frozen}) {
    int64_t offset = 0;
    for (size_t i = 0; i < part->tensors.size(); ++i) {
      const TensorEntry& tensor = part->tensors[i];
      EXPECT_EQ(tensor.name, whole.tensors[part->places[i]].name);
      EXPECT_EQ(tensor.linear, whole.tensors[part->places[i]].linear);
      EXPECT_EQ(tensor.offset_bytes, offset);
      offset += AlignedTensorBytes(tensor.element_count * kFloatBytes);
    }
    EXPECT_EQ(part->size_bytes, offset);
  }
}

TEST(FrozenLayersTest, TheFirstTrainedLayerMayBeOneThatIsTrainedInPart) {
  const ModelTable table =
      WithFrozen(Base(), {"*.w?e.*", "*.h.0.*", "*.h.1.*.weight"}).value();
  EXPECT_EQ(table.FirstTrainedLayer(), 2);
  EXPECT_EQ(table.parameter_blocks[3].tensors.size(), 6);
  EXPECT_THAT(FrozenBlocks({"*.w?e.*", "*.h.0.*", "*.h.1.*.weight"}),
              ElementsAre(0, 1, 2, 5));
}

TEST(FrozenLayersTest, PatternsThatDoNothingOrEverythingAreRefused) {
  EXPECT_THAT(Refusal({"*.h.0.*", "*.h.7.*"}),
              AllOf(HasSubstr("'*.h.7.*' matches no tensor"),
                    HasSubstr("transformer.wte.weight")));
  EXPECT_THAT(Refusal({"*"}), HasSubstr("nothing would be trained"));
}

TEST(FrozenLayersTest, WhatBatchNormsRememberIsTrainedUnlessItIsNamed) {
  const ModelTable base = Describe(R"({"model_type": "resnet", "image_size": 16,
                   "num_channels": 2, "embedding_size": 8,
                   "hidden_sizes": [8], "depths": [1], "layer_type": "basic",
                   "num_labels": 5})",
                                   {})
                              .value();
  ModelTable table =
      WithFrozen(base, {"resnet.*.normalization.weight"}).value();
  EXPECT_TRUE(table.parameter_blocks[0].has_statistics());
  EXPECT_FALSE(table.parameter_blocks[0].frozen);
  for (const ParameterBlock& block : table.parameter_blocks) {
    EXPECT_FALSE(block.frozen && block.has_statistics());
  }
  table = WithFrozen(base, {"resnet.*.normalization.*"}).value();
  for (const ParameterBlock& block : table.parameter_blocks) {
    EXPECT_EQ(block.frozen, block.has_statistics());
  }
  // A part that is trained has something to train.
  EXPECT_THAT(std::string(WithFrozen(base, {"resnet.*.weight", "resnet.*.bias"})
                              .status()
                              .message()),
              AllOf(HasSubstr("running_mean"),
                    HasSubstr("'resnet.embedder.embedder.")));
}

TEST(FrozenLayersTest, TheKeyTellsWhatIsFrozen) {
  EXPECT_EQ(WithFrozen(Base(), {})->architecture_key, Base().architecture_key);
  EXPECT_EQ(WithFrozen(Base(), {"*.w?e.*", "*.ln_f.*"})->architecture_key,
            Base().architecture_key + " frozen=0-1,4");
  // And which tensors of a block.
  const std::string of_weights =
      WithFrozen(Base(), {"*.h.0.*.weight"})->architecture_key;
  const std::string of_biases =
      WithFrozen(Base(), {"*.h.0.*.bias"})->architecture_key;
  EXPECT_THAT(of_weights, HasSubstr(" frozen=5 parts="));
  EXPECT_NE(of_weights, of_biases);
}

}  // namespace
}  // namespace hydra
