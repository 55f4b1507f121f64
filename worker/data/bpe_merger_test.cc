#include "worker/data/bpe_merger.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint32_t> Merged(const BpeMergeTable& table,
                             std::vector<uint32_t> ids) {
  BpeMerger(&table).Apply(&ids);
  return ids;
}

TEST(BpeMergerTest, LeavesWhatCannotMerge) {
  const BpeMergeTable table = {{{1, 2}, {0, 12}}};
  EXPECT_THAT(Merged(table, {}), IsEmpty());
  EXPECT_THAT(Merged(table, {1}), ElementsAre(1));
  EXPECT_THAT(Merged(table, {2, 1}), ElementsAre(2, 1));
}

TEST(BpeMergerTest, TheLowestRankGoesFirst) {
  const BpeMergeTable table = {{{1, 2}, {1, 12}}, {{2, 3}, {0, 23}}};
  EXPECT_THAT(Merged(table, {1, 2, 3}), ElementsAre(1, 23));
}

TEST(BpeMergerTest, TheLeftmostOfEqualsGoesFirst) {
  const BpeMergeTable table = {{{1, 1}, {0, 11}}, {{11, 11}, {1, 1111}}};
  EXPECT_THAT(Merged(table, {1, 1, 1}), ElementsAre(11, 1));
  EXPECT_THAT(Merged(table, {1, 1, 1, 1, 1, 1}), ElementsAre(1111, 11));
}

TEST(BpeMergerTest, MergesWhatMergesHaveMade) {
  const BpeMergeTable table = {
      {{1, 2}, {0, 12}}, {{12, 3}, {1, 123}}, {{0, 123}, {2, 99}}};
  EXPECT_THAT(Merged(table, {0, 1, 2, 3, 0}), ElementsAre(99, 0));
}

TEST(BpeMergerTest, DoesNotMergeASymbolThatIsGone) {
  // 2 3 is offered first, then its 2 goes into 1 2.
  const BpeMergeTable table = {{{1, 2}, {0, 12}}, {{2, 3}, {1, 23}}};
  EXPECT_THAT(Merged(table, {1, 2, 3, 2, 3}), ElementsAre(12, 3, 23));
}

TEST(BpeMergerTest, KeepsNothingFromOneWordToTheNext) {
  const BpeMergeTable table = {{{1, 2}, {0, 12}}};
  BpeMerger merger(&table);
  std::vector<uint32_t> ids = {1, 2, 1, 2, 7};
  merger.Apply(&ids);
  EXPECT_THAT(ids, ElementsAre(12, 12, 7));
  ids = {2, 1};
  merger.Apply(&ids);
  EXPECT_THAT(ids, ElementsAre(2, 1));
}

// A million symbols: minutes if a merge cost a walk over the word.
TEST(BpeMergerTest, AVeryLongWordIsMergedInOneGo) {
  const BpeMergeTable table = {{{1, 1}, {0, 2}}, {{2, 2}, {1, 4}}};
  const std::vector<uint32_t> merged =
      Merged(table, std::vector<uint32_t>(1 << 20, 1));
  EXPECT_EQ(merged, std::vector<uint32_t>(1 << 18, 4));
}

}  // namespace
}  // namespace hydra
