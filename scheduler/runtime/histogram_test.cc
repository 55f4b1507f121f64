#include "scheduler/runtime/histogram.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

TEST(HistogramTest, ABoundBelongsToItsBucket) {
  Histogram histogram({0.5, 1, 8});
  EXPECT_THAT(histogram.counts(), ElementsAre(0, 0, 0, 0));
  for (double value : {0.0, 0.5, 0.75, 1.0, 8.0, 8.5, 100.0}) {
    histogram.Add(value);
  }
  EXPECT_THAT(histogram.bounds(), ElementsAre(0.5, 1, 8));
  EXPECT_THAT(histogram.counts(), ElementsAre(2, 2, 1, 2));
  EXPECT_EQ(histogram.sum(), 118.75);
}

}  // namespace
}  // namespace hydra
