#include "worker/data/token_masking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/types/span.h"
#include "common/data/batch_plan.h"

namespace hydra {
namespace {

constexpr int64_t kContext = 50;
constexpr int64_t kVocabulary = 1000;
constexpr int64_t kMask = 4;

struct Masked {
  std::vector<int64_t> tokens;
  std::vector<int64_t> targets;
  int64_t untrained = 0;

  bool operator==(const Masked& other) const {
    return tokens == other.tokens && targets == other.targets &&
           untrained == other.untrained;
  }
};

// Rows of tokens that are their own numbers; the first and last of each row may
// not be hidden.
Masked Rows(const std::vector<int64_t>& rows) {
  Masked made;
  for (int64_t row : rows) {
    for (int64_t place = 0; place <= kContext; ++place) {
      const int64_t token = 10 + (row * 7 + place) % 900;
      made.tokens.push_back(token);
      if (place == kContext) continue;
      const bool may_be_hidden = place > 0 && place + 1 < kContext;
      made.targets.push_back(may_be_hidden ? token : kNoTarget);
    }
  }
  return made;
}

Masked Mask(const std::vector<int64_t>& rows, uint64_t seed = 1,
            int64_t epoch = 0, double probability = 0.15) {
  TokenMasking masking;
  masking.probability = probability;
  masking.mask_id = kMask;
  masking.vocabulary_size = kVocabulary;
  masking.seed = seed;
  masking.epoch = epoch;
  Masked made = Rows(rows);
  made.untrained =
      MaskTokens(masking, rows, kContext, absl::MakeSpan(made.tokens),
                 absl::MakeSpan(made.targets));
  return made;
}

TEST(MaskTokensTest, HidesAsTransformersDoes) {
  std::vector<int64_t> rows(2000);
  std::iota(rows.begin(), rows.end(), 0);
  const Masked before = Rows(rows);
  const Masked after = Mask(rows);
  int64_t chosen = 0, masked = 0, kept = 0, other = 0;
  for (size_t i = 0; i < after.targets.size(); ++i) {
    const size_t token = i / kContext * (kContext + 1) + i % kContext;
    if (after.targets[i] == kNoTarget) {
      EXPECT_EQ(after.tokens[token], before.tokens[token]);
      continue;
    }
    EXPECT_EQ(after.targets[i], before.tokens[token]);
    EXPECT_EQ(after.targets[i], before.targets[i]);
    ++chosen;
    if (after.tokens[token] == kMask) {
      ++masked;
    } else if (after.tokens[token] == before.tokens[token]) {
      ++kept;
    } else {
      ++other;
      EXPECT_GE(after.tokens[token], 0);
      EXPECT_LT(after.tokens[token], kVocabulary);
    }
  }
  EXPECT_EQ(after.untrained,
            static_cast<int64_t>(after.targets.size()) - chosen);
  // Several standard deviations on each side.
  const auto of = [](int64_t part, int64_t all) {
    return static_cast<double>(part) / static_cast<double>(all);
  };
  EXPECT_NEAR(of(chosen, 2000 * (kContext - 2)), 0.15, 0.006);
  EXPECT_NEAR(of(masked, chosen), 0.8, 0.02);
  EXPECT_NEAR(of(other, chosen), 0.1, 0.015);
  EXPECT_NEAR(of(kept, chosen), 0.1, 0.015);
}

TEST(MaskTokensTest, ARowIsTheSameInWhateverBatch) {
  const Masked together = Mask({5, 9, 2});
  for (size_t i = 0; i < 3; ++i) {
    const std::vector<int64_t> rows = {5, 9, 2};
    const Masked alone = Mask({rows[i]});
    EXPECT_TRUE(std::equal(alone.tokens.begin(), alone.tokens.end(),
                           together.tokens.begin() + i * (kContext + 1)));
    EXPECT_TRUE(std::equal(alone.targets.begin(), alone.targets.end(),
                           together.targets.begin() + i * kContext));
  }
  EXPECT_TRUE(Mask({5, 9, 2}) == together);
}

TEST(MaskTokensTest, SeedEpochAndRowChangeWhatIsDrawn) {
  EXPECT_NE(Mask({3}, 1).targets, Mask({3}, 2).targets);
  EXPECT_NE(Mask({3}, 1, 0).targets, Mask({3}, 1, 1).targets);
  const auto are_chosen = [](const Masked& masked) {
    std::vector<bool> chosen;
    for (int64_t target : masked.targets) chosen.push_back(target != kNoTarget);
    return chosen;
  };
  EXPECT_NE(are_chosen(Mask({3})), are_chosen(Mask({4})));
}

TEST(MaskTokensTest, AHigherProbabilityHidesMore) {
  EXPECT_LT(Mask({1, 2, 3}, 1, 0, 0.9).untrained, Mask({1, 2, 3}).untrained);
}

}  // namespace
}  // namespace hydra
