#include "common/model/frozen_type.h"

#include "common/model/describe.h"
#include "common/model/layer_memory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr char kGpt2[] = R"({"model_type": "gpt2", "vocab_size": 513,
    "n_positions": 32, "n_embd": 6, "n_layer": 2, "n_head": 2})";

ModelTable Adapted() {
  ModelOverrides overrides;
  overrides.lora = {8, 8};
  return Describe(kGpt2, overrides).value();
}

TEST(FrozenTypeTest, FrozenBlocksHaveTwoBytesForEachElement) {
  const ModelTable wide = Adapted();
  const ModelTable half = WithFrozenType(wide, ElementType::kBFloat16);
  ASSERT_EQ(half.parameter_blocks.size(), wide.parameter_blocks.size());
  for (size_t i = 0; i < half.parameter_blocks.size(); ++i) {
    SCOPED_TRACE(i);
    const ParameterBlock& block = half.parameter_blocks[i];
    if (!block.frozen) {
      EXPECT_EQ(block.type, ElementType::kFloat32);
      EXPECT_EQ(block.size_bytes, wide.parameter_blocks[i].size_bytes);
      continue;
    }
    EXPECT_EQ(block.type, ElementType::kBFloat16);
    int64_t end = 0;
    for (const TensorEntry& tensor : block.tensors) {
      EXPECT_EQ(tensor.offset_bytes, AlignedTensorBytes(end));
      EXPECT_EQ(block.FirstElement(tensor), tensor.offset_bytes / 2);
      end = tensor.offset_bytes + 2 * tensor.element_count;
    }
    EXPECT_EQ(block.size_bytes, AlignedTensorBytes(end));
  }
  EXPECT_EQ(half.ParameterCount(), wide.ParameterCount());
  EXPECT_EQ(half.TrainedBytes(), wide.TrainedBytes());
}

TEST(FrozenTypeTest, MatricesOfInt8HaveAByteForEachNumberAndAScaleForEachRow) {
  const ModelTable wide = Adapted();
  const ModelTable quantized = WithFrozenType(wide, ElementType::kInt8);
  for (size_t i = 0; i < quantized.parameter_blocks.size(); ++i) {
    SCOPED_TRACE(i);
    const ParameterBlock& block = quantized.parameter_blocks[i];
    if (!block.frozen) {
      EXPECT_EQ(block.size_bytes, wide.parameter_blocks[i].size_bytes);
      continue;
    }
    EXPECT_EQ(block.type, ElementType::kInt8);
    int64_t end = 0;
    for (const TensorEntry& tensor : block.tensors) {
      SCOPED_TRACE(tensor.name);
      EXPECT_EQ(tensor.offset_bytes, AlignedTensorBytes(end));
      EXPECT_EQ(block.FirstElement(tensor), tensor.offset_bytes);
      // Six numbers of a row are eight bytes.
      const bool is_matrix = tensor.shape.size() == 2;
      const int64_t width = tensor.shape.back();
      end = tensor.offset_bytes +
            (is_matrix ? tensor.shape[0] * (4 + (width + 3) / 4 * 4)
                       : 4 * tensor.element_count);
    }
    EXPECT_EQ(block.size_bytes, AlignedTensorBytes(end));
  }
  EXPECT_EQ(quantized.ParameterCount(), wide.ParameterCount());
  EXPECT_EQ(quantized.TrainedBytes(), wide.TrainedBytes());
  EXPECT_THAT(quantized.architecture_key, HasSubstr("frozen_dtype=int8"));
}

TEST(FrozenTypeTest, LayersReckonWithWhatTheyWiden) {
  const ModelTable wide = Adapted();
  for (ElementType type : {ElementType::kFloat16, ElementType::kInt8}) {
    const ModelTable narrow = WithFrozenType(wide, type);
    // A block's largest map has 6 x 24 weights; of the head's table a range is
    // all rows.
    for (const auto& [layer, elements] :
         {std::pair<int, int64_t>{1, 6 * 24}, {3, 6 * 513}}) {
      SCOPED_TRACE(layer);
      const auto& before = wide.layers[layer].memory.backward;
      const auto& behind = narrow.layers[layer].memory.backward;
      ASSERT_EQ(behind.size(), before.size());
      for (size_t i = 0; i < behind.size(); ++i) {
        if (HasScores(before[i])) continue;
        EXPECT_EQ(BytesOf(behind[i], 2, 8),
                  BytesOf(before[i], 2, 8) + AlignedTensorBytes(4 * elements));
      }
    }
  }
}

// A ViT's embedding and classifier are no maps that are widened one by one.
TEST(FrozenTypeTest, LayersWithoutMapsWidenAllThatTheyHave) {
  ModelOverrides overrides;
  overrides.lora = {8, 8};
  const ModelTable wide =
      Describe(R"({"model_type": "vit", "hidden_size": 16, "image_size": 8,
                   "intermediate_size": 32, "num_attention_heads": 2,
                   "num_hidden_layers": 1, "patch_size": 4, "num_labels": 9,
                   "hidden_act": "gelu"})",
               overrides)
          .value();
  const ModelTable half = WithFrozenType(wide, ElementType::kBFloat16);
  for (int layer : {0, 2}) {
    SCOPED_TRACE(layer);
    const int64_t elements =
        wide.parameter_blocks[wide.layers[layer].parameter_blocks.front()]
            .element_count();
    EXPECT_EQ(BytesOf(half.layers[layer].memory.forward.front(), 2, 1),
              BytesOf(wide.layers[layer].memory.forward.front(), 2, 1) +
                  AlignedTensorBytes(4 * elements));
  }
}

TEST(FrozenTypeTest, WhatTakesOtherMemoryHasAnotherKey) {
  const ModelTable wide = Adapted();
  EXPECT_EQ(WithFrozenType(wide, ElementType::kFloat32).architecture_key,
            wide.architecture_key);
  EXPECT_THAT(WithFrozenType(wide, ElementType::kFloat16).architecture_key,
              HasSubstr("frozen_dtype=float16"));
  EXPECT_THAT(WithFrozenType(wide, ElementType::kBFloat16).architecture_key,
              HasSubstr("frozen_dtype=bfloat16"));
}

TEST(FrozenTypeTest, WhatIsTrainedStaysAsItIs) {
  const ModelTable trained = Describe(kGpt2, {}).value();
  const ModelTable same = WithFrozenType(trained, ElementType::kBFloat16);
  EXPECT_EQ(same.ParameterBytes(), trained.ParameterBytes());
  EXPECT_EQ(same.architecture_key, trained.architecture_key);
}

}  // namespace
}  // namespace hydra
