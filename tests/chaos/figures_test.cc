#include "tests/chaos/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(QuantileTest, IsTheValueBelowWhichThePartLies) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(Quantile(values, 0.5), 3);
  EXPECT_EQ(Quantile(values, 0), 1);
  EXPECT_EQ(Quantile(values, 1), 5);
  EXPECT_EQ(Quantile({}, 0.5), 0);
}

TEST(FigureTableTest, OnlyACountThatMustBeZeroBreaksAPromise) {
  FigureTable table;
  table.AddNumber("rounds", 500);
  table.AddMustBeZero("lost", 0);
  EXPECT_FALSE(table.promise_broken());
  table.AddMustBeZero("doubled", 2);
  EXPECT_TRUE(table.promise_broken());
  EXPECT_THAT(table.Text(), HasSubstr("500.0"));
  EXPECT_THAT(table.Text(), HasSubstr("must be 0"));
}

}  // namespace
}  // namespace hydra
