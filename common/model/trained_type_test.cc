#include "common/model/trained_type.h"

#include <utility>

#include "common/model/describe.h"
#include "common/model/layer_memory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr char kGpt2[] = R"({"model_type": "gpt2", "vocab_size": 513,
    "n_positions": 32, "n_embd": 6, "n_layer": 2, "n_head": 2})";

ModelTable Described(const ModelOverrides& overrides = {}) {
  return Describe(kGpt2, overrides).value();
}

TEST(TrainedTypeTest, ParametersHaveTwoBytesAndAllElseHasFour) {
  const ModelTable wide = Described();
  const ModelTable half = WithTrainedType(wide, ElementType::kBFloat16);
  ASSERT_EQ(half.parameter_blocks.size(), wide.parameter_blocks.size());
  for (size_t i = 0; i < half.parameter_blocks.size(); ++i) {
    SCOPED_TRACE(i);
    const ParameterBlock& block = half.parameter_blocks[i];
    EXPECT_EQ(block.type, ElementType::kBFloat16);
    EXPECT_TRUE(block.has_master());
    EXPECT_FALSE(wide.parameter_blocks[i].has_master());
    int64_t end = 0;
    for (const TensorEntry& tensor : block.tensors) {
      EXPECT_EQ(tensor.offset_bytes, AlignedTensorBytes(end));
      EXPECT_EQ(block.FirstElement(tensor), tensor.offset_bytes / 2);
      end = tensor.offset_bytes + 2 * tensor.element_count;
    }
    EXPECT_EQ(block.size_bytes, AlignedTensorBytes(end));
    EXPECT_EQ(block.gradient_bytes(), 2 * block.size_bytes);
    EXPECT_EQ(wide.parameter_blocks[i].gradient_bytes(),
              wide.parameter_blocks[i].size_bytes);
  }
  EXPECT_TRUE(half.HasMasters());
  EXPECT_FALSE(wide.HasMasters());
  EXPECT_EQ(half.ParameterCount(), wide.ParameterCount());
  EXPECT_EQ(half.GradientBytes(), 2 * half.TrainedBytes());
  EXPECT_EQ(wide.GradientBytes(), wide.TrainedBytes());
}

TEST(TrainedTypeTest, LayersReckonWithWhatTheyWiden) {
  const ModelTable wide = Described();
  const ModelTable half = WithTrainedType(wide, ElementType::kBFloat16);
  // A block's largest map has 6 x 24 weights; of the head's table a range is
  // all rows.
  for (const auto& [layer, elements] :
       {std::pair<int, int64_t>{1, 6 * 24}, {3, 6 * 513}}) {
    SCOPED_TRACE(layer);
    const auto& before = wide.layers[layer].memory.backward;
    const auto& behind = half.layers[layer].memory.backward;
    ASSERT_EQ(behind.size(), before.size());
    for (size_t i = 0; i < behind.size(); ++i) {
      if (HasScores(before[i])) continue;
      EXPECT_EQ(BytesOf(behind[i], 2, 8),
                BytesOf(before[i], 2, 8) + AlignedTensorBytes(4 * elements));
    }
  }
}

TEST(TrainedTypeTest, WhatTakesOtherMemoryHasAnotherKey) {
  const ModelTable wide = Described();
  EXPECT_EQ(WithTrainedType(wide, ElementType::kFloat32).architecture_key,
            wide.architecture_key);
  EXPECT_THAT(WithTrainedType(wide, ElementType::kBFloat16).architecture_key,
              HasSubstr("trained_dtype=bfloat16"));
}

TEST(TrainedTypeTest, WhatIsFrozenHasItsOwnTypeAndNoMaster) {
  ModelOverrides overrides;
  overrides.frozen = {"*.h.0.*"};
  overrides.trained_type = ElementType::kBFloat16;
  const ModelTable table = Described(overrides);
  overrides.frozen_type = ElementType::kFloat16;
  const ModelTable both = Described(overrides);
  int frozen = 0;
  for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    EXPECT_EQ(block.has_master(), !block.frozen) << i;
    EXPECT_EQ(block.type == ElementType::kFloat32, block.frozen) << i;
    EXPECT_EQ(both.parameter_blocks[i].has_master(), !block.frozen) << i;
    EXPECT_EQ(both.parameter_blocks[i].type,
              block.frozen ? ElementType::kFloat16 : ElementType::kBFloat16)
        << i;
    frozen += block.frozen;
  }
  EXPECT_EQ(frozen, 1);
}

TEST(TrainedTypeTest, AdaptersStayAsTheyAre) {
  ModelOverrides overrides;
  overrides.lora = {8, 8};
  const ModelTable adapted = Described(overrides);
  const ModelTable same = WithTrainedType(adapted, ElementType::kBFloat16);
  EXPECT_EQ(same.ParameterBytes(), adapted.ParameterBytes());
  EXPECT_EQ(same.architecture_key, adapted.architecture_key);
  EXPECT_FALSE(same.HasMasters());
}

}  // namespace
}  // namespace hydra
