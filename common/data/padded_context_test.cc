#include "common/data/padded_context.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(PaddedContextTest, IsAMultipleThatHasRoomForTheLongestRow) {
  // The last token of a row is no input.
  EXPECT_EQ(PaddedContext(9, 64), 8);
  EXPECT_EQ(PaddedContext(10, 64), 16);
  EXPECT_EQ(PaddedContext(2, 64), 8);
  EXPECT_EQ(PaddedContext(1, 64), 8);
}

TEST(PaddedContextTest, IsNeverLongerThanTheJobsContext) {
  EXPECT_EQ(PaddedContext(50, 50), 50);
  EXPECT_EQ(PaddedContext(51, 50), 50);
  EXPECT_EQ(PaddedContext(3, 5), 5);
}

}  // namespace
}  // namespace hydra
