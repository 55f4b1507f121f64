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

TEST(FrozenLayersTest, APartOfABlockIsRefusedWithWhatIsMissing) {
  EXPECT_THAT(
      Refusal({"*.h.1.*.weight"}),
      AllOf(HasSubstr("6 of 12 are not named"),
            HasSubstr("transformer.h.1.ln_1.bias"), HasSubstr("and 3 more"),
            HasSubstr("write 'transformer.h.1.*'")));
}

TEST(FrozenLayersTest, PatternsThatDoNothingOrEverythingAreRefused) {
  EXPECT_THAT(Refusal({"*.h.0.*", "*.h.7.*"}),
              AllOf(HasSubstr("'*.h.7.*' matches no tensor"),
                    HasSubstr("transformer.wte.weight")));
  EXPECT_THAT(Refusal({"*"}), HasSubstr("nothing would be trained"));
}

TEST(FrozenLayersTest, TheKeyTellsWhatIsFrozen) {
  EXPECT_EQ(WithFrozen(Base(), {})->architecture_key, Base().architecture_key);
  EXPECT_EQ(WithFrozen(Base(), {"*.w?e.*", "*.ln_f.*"})->architecture_key,
            Base().architecture_key + " frozen=0-1,4");
}

}  // namespace
}  // namespace hydra
