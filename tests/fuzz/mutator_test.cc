#include "tests/fuzz/mutator.h"

#include <set>

#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int kMutations = 1000;

TEST(MutatorTest, MakesTheSameSeriesInTheSameRound) {
  Mutator a({"width: 12", "x"}, 3);
  Mutator b({"width: 12", "x"}, 3);
  for (int i = 0; i < kMutations; ++i) ASSERT_EQ(a.Next(), b.Next()) << i;
}

TEST(MutatorTest, MakesManyDifferentInputs) {
  std::set<std::string> inputs;
  Mutator mutator({"width: 12"}, 0);
  for (int i = 0; i < kMutations; ++i) inputs.insert(mutator.Next());
  EXPECT_GT(inputs.size(), kMutations / 2);
  EXPECT_TRUE(inputs.count("width: 18446744073709551616"));
}

TEST(MutatorTest, TakesAnEmptySeed) {
  Mutator mutator({""}, 0);
  for (int i = 0; i < kMutations; ++i) mutator.Next();
}

TEST(MutatorTest, KeepsInputsShort) {
  Mutator mutator({std::string(Mutator::kMaxBytes, '1')}, 0);
  for (int i = 0; i < kMutations; ++i) {
    ASSERT_LE(mutator.Next().size(), Mutator::kMaxBytes);
  }
}

}  // namespace
}  // namespace hydra
