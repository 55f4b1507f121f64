#include "common/model/factored_moments.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The padding behind tensors is seen: 64 bytes are 16 numbers.
ParameterBlock Block() {
  ParameterBlock block;
  AddTensor("matrix", {20, 3}, TensorInit(), block);
  AddTensor("bias", {17}, TensorInit(), block);
  AddTensor("kernel", {2, 5, 4, 6}, TensorInit(), block);
  AddTensor("number", {}, TensorInit(), block);
  return block;
}

TEST(FactoredMomentsTest, RowsAndColumnsAreThoseOfTheLastTwoDimensions) {
  const auto kept = FactoredMomentsOf(Block());
  ASSERT_EQ(kept.size(), 4);
  EXPECT_TRUE(kept[0].is_factored());
  EXPECT_EQ(kept[0].matrices, 1);
  EXPECT_EQ(kept[0].rows, 20);
  EXPECT_EQ(kept[0].columns, 3);
  EXPECT_STREQ(kept[0].moments[0].name, "exp_avg_sq_row");
  EXPECT_THAT(kept[0].moments[0].shape, ElementsAre(20));
  EXPECT_STREQ(kept[0].moments[1].name, "exp_avg_sq_col");
  EXPECT_THAT(kept[0].moments[1].shape, ElementsAre(3));
  EXPECT_EQ(kept[2].matrices, 10);
  EXPECT_EQ(kept[2].rows, 4);
  EXPECT_EQ(kept[2].columns, 6);
  EXPECT_THAT(kept[2].moments[0].shape, ElementsAre(2, 5, 4));
  EXPECT_THAT(kept[2].moments[1].shape, ElementsAre(2, 5, 6));
}

TEST(FactoredMomentsTest, OfOneDimensionEachNumberHasAMoment) {
  const auto kept = FactoredMomentsOf(Block());
  EXPECT_FALSE(kept[1].is_factored());
  EXPECT_STREQ(kept[1].moments[0].name, "exp_avg_sq");
  EXPECT_THAT(kept[1].moments[0].shape, ElementsAre(17));
  EXPECT_EQ(kept[1].columns, 17);
  EXPECT_THAT(kept[3].moments[0].shape, IsEmpty());
  EXPECT_EQ(kept[3].moments[0].element_count, 1);
}

TEST(FactoredMomentsTest, EachBeginsAtItsAlignment) {
  const auto kept = FactoredMomentsOf(Block());
  int64_t end = 0;
  for (const FactoredMoments& of_tensor : kept) {
    for (const FactoredMoment& moment : of_tensor.moments) {
      EXPECT_EQ(moment.offset_bytes, end);
      end += AlignedTensorBytes(moment.element_count * kFloatBytes);
    }
  }
  EXPECT_EQ(FactoredStateBytes(Block()), end);
  EXPECT_EQ(FactoredStateBytes(ParameterBlock()), 0);
}

TEST(FactoredMomentsTest, OfWhatIsNoParameterNothingIsKept) {
  ParameterBlock block = Block();
  AddStatistic("mean", {20}, TensorUse::kStatistic, TensorInit(), block);
  AddStatistic("batches", {}, TensorUse::kCount, TensorInit(), block);
  AddTensor("last", {4}, TensorInit(), block);
  const auto kept = FactoredMomentsOf(block);
  ASSERT_EQ(kept.size(), 7);
  EXPECT_THAT(kept[4].moments, IsEmpty());
  EXPECT_THAT(kept[5].moments, IsEmpty());
  const FactoredMoment& last = kept[6].moments.front();
  EXPECT_EQ(last.offset_bytes, FactoredStateBytes(Block()));
  EXPECT_EQ(FactoredStateBytes(block), last.offset_bytes + 64);
  // Nor is it if it comes last.
  block.tensors.pop_back();
  EXPECT_EQ(FactoredStateBytes(block), FactoredStateBytes(Block()));
}

}  // namespace
}  // namespace hydra
