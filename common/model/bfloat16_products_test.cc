#include "common/model/bfloat16_products.h"

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

}  // namespace
}  // namespace hydra
