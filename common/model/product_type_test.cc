#include "common/model/product_type.h"

#include "absl/strings/str_cat.h"
#include "common/model/describe.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(ProductTypeTest, FollowsFromTheJob) {
  hydra::v1::TrainSpec train;
  EXPECT_EQ(ProductTypeOf(train), ElementType::kFloat32);
  train.set_bf16(true);
  EXPECT_EQ(ProductTypeOf(train), ElementType::kBFloat16);
  train.set_bf16(false);
  train.set_fp16(true);
  EXPECT_EQ(ProductTypeOf(train), ElementType::kFloat16);
}

TEST(ProductTypeTest, IsThatOfBlocksAndHead) {
  const ModelTable plain =
      Describe(R"({"model_type": "gpt2", "vocab_size": 513, "n_positions": 32,
                   "n_embd": 6, "n_layer": 2, "n_head": 2})",
               {})
          .value();
  const ModelTable rounded = WithProductType(plain, ElementType::kBFloat16);
  const ModelTable half = WithProductType(plain, ElementType::kFloat16);
  for (int layer = 0; layer < plain.layer_count(); ++layer) {
    SCOPED_TRACE(layer);
    const LayerEntry& entry = rounded.layers[layer];
    // The embedding has none.
    EXPECT_EQ(ProductTypeOf(plain.layers[layer]), ElementType::kFloat32);
    EXPECT_EQ(ProductTypeOf(entry),
              layer > 0 ? ElementType::kBFloat16 : ElementType::kFloat32);
    EXPECT_EQ(ProductTypeOf(half.layers[layer]),
              layer > 0 ? ElementType::kFloat16 : ElementType::kFloat32);
    const auto& before = plain.layers[layer].memory.backward;
    ASSERT_EQ(entry.memory.backward.size(), before.size());
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_GE(BytesOf(entry.memory.backward[i], 2, 8),
                BytesOf(before[i], 2, 8));
      EXPECT_EQ(BytesOf(half.layers[layer].memory.backward[i], 2, 8),
                BytesOf(entry.memory.backward[i], 2, 8));
    }
  }
  EXPECT_EQ(rounded.architecture_key, plain.architecture_key + " bf16");
  EXPECT_EQ(half.architecture_key, plain.architecture_key + " fp16");
}

// What lies in the products' own type is taken as it is.
TEST(ProductTypeTest, OnlyAHeadOfAnotherTypeIsRounded) {
  ModelOverrides overrides;
  overrides.frozen = {"*.w?e.*"};
  const auto head_bytes = [&overrides](ElementType frozen,
                                       ElementType products) {
    overrides.frozen_type = frozen;
    const auto bytes_with = [&overrides](ElementType type) {
      overrides.product_type = type;
      return BytesOf(Describe(R"({"model_type": "gpt2", "vocab_size": 16384,
                       "n_positions": 32, "n_embd": 64, "n_layer": 1,
                       "n_head": 2})",
                              overrides)
                         .value()
                         .layers.back()
                         .memory.backward.front(),
                     2, 8);
    };
    return bytes_with(products) - bytes_with(ElementType::kFloat32);
  };
  const int64_t table = 2 * 16384 * 64;
  const int64_t half_of_half =
      head_bytes(ElementType::kFloat16, ElementType::kFloat16);
  EXPECT_EQ(head_bytes(ElementType::kFloat16, ElementType::kBFloat16),
            half_of_half + table);
  EXPECT_EQ(head_bytes(ElementType::kBFloat16, ElementType::kFloat16),
            half_of_half + table);
  EXPECT_EQ(head_bytes(ElementType::kBFloat16, ElementType::kBFloat16),
            half_of_half);
}

// What lies in fewer bytes than four is widened, and that is rounded.
TEST(ProductTypeTest, WeightsOfAnotherTypeAreThereInTheProductsToo) {
  constexpr char kConfig[] = R"({"model_type": "gpt2", "vocab_size": 16384,
                                 "n_positions": 32, "n_embd": 64,
                                 "n_layer": 1, "n_head": 2})";
  // What products of this type take beside those of float32.
  const auto bytes = [&](ModelOverrides overrides, int layer,
                         ElementType products, bool backward) {
    const auto bytes_with = [&](ElementType type) {
      overrides.product_type = type;
      const LayerMemory memory =
          Describe(kConfig, overrides).value().layers[layer].memory;
      return BytesOf((backward ? memory.backward : memory.forward).back(), 2,
                     8);
    };
    return bytes_with(products) - bytes_with(ElementType::kFloat32);
  };
  constexpr int kBlock = 1;
  constexpr int kHead = 2;
  // In two bytes each: of the block its largest linear map, of the head a range
  // of its table.
  const int64_t map = 2 * 4 * 64 * 64;
  const int64_t range = 2 * 8192 * 64;
  const auto half = ElementType::kFloat16;
  ModelOverrides frozen;
  frozen.frozen = {"*.wte.*", "*.h.*"};
  frozen.frozen_type = half;
  const int64_t block_of_half = bytes(frozen, kBlock, half, false);
  const int64_t head_of_half = bytes(frozen, kHead, half, false);
  for (ElementType type : {ElementType::kBFloat16, ElementType::kInt8}) {
    SCOPED_TRACE(static_cast<int>(type));
    frozen.frozen_type = type;
    EXPECT_EQ(bytes(frozen, kBlock, half, false), block_of_half + map);
    EXPECT_EQ(bytes(frozen, kHead, half, false), head_of_half + range);
  }
  ModelOverrides masters;
  masters.trained_type = ElementType::kBFloat16;
  const auto bfloat16 = ElementType::kBFloat16;
  EXPECT_EQ(bytes(masters, kBlock, half, false),
            bytes(masters, kBlock, bfloat16, false) + map);
  // Their gradient has as many bytes, and is not there at the same time.
  EXPECT_EQ(bytes(masters, kBlock, half, true),
            bytes(masters, kBlock, bfloat16, true));
}

TEST(ProductTypeTest, AHeadHasItsWholeTableRoundedInABackward) {
  const auto head_bytes = [](int64_t vocabulary) {
    const ModelTable table =
        Describe(
            absl::StrCat(R"({"model_type": "gpt2", "vocab_size": )", vocabulary,
                         R"(, "n_positions": 32, "n_embd": 64,
                                 "n_layer": 1, "n_head": 2})"),
            {})
            .value();
    const auto bytes_of = [](const ModelTable& model) {
      return BytesOf(model.layers.back().memory.backward.front(), 2, 8);
    };
    return bytes_of(WithProductType(table, ElementType::kBFloat16)) -
           bytes_of(table);
  };
  // Of two ranges and of four, as long as each other.
  EXPECT_EQ(head_bytes(32768) - head_bytes(16384), 2 * 16384 * 64);
}

}  // namespace
}  // namespace hydra
