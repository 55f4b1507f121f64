#include "common/model/bfloat16_products.h"

#include "absl/strings/str_cat.h"
#include "common/model/describe.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(BFloat16ProductsTest, AreThoseOfBlocksAndHead) {
  const ModelTable plain =
      Describe(R"({"model_type": "gpt2", "vocab_size": 513, "n_positions": 32,
                   "n_embd": 6, "n_layer": 2, "n_head": 2})",
               {})
          .value();
  const ModelTable rounded = WithBFloat16Products(plain);
  for (int layer = 0; layer < plain.layer_count(); ++layer) {
    SCOPED_TRACE(layer);
    const LayerEntry& entry = rounded.layers[layer];
    // The embedding has none.
    EXPECT_EQ(entry.attributes.count(kBFloat16Products), layer > 0);
    const auto& before = plain.layers[layer].memory.backward;
    ASSERT_EQ(entry.memory.backward.size(), before.size());
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_GE(BytesOf(entry.memory.backward[i], 2, 8),
                BytesOf(before[i], 2, 8));
    }
  }
  EXPECT_EQ(rounded.architecture_key, plain.architecture_key + " bf16");
}

TEST(BFloat16ProductsTest, AHeadHasItsWholeTableRoundedInABackward) {
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
    return bytes_of(WithBFloat16Products(table)) - bytes_of(table);
  };
  // Of two ranges and of four, as long as each other.
  EXPECT_EQ(head_bytes(32768) - head_bytes(16384), 2 * 16384 * 64);
}

}  // namespace
}  // namespace hydra
