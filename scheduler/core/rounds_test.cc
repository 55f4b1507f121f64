#include "scheduler/core/rounds.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/chain/testing/tiny_shape.h"
#include "scheduler/core/admission.h"

namespace hydra {
namespace {

using hydra::v1::PoolDemand;

// Boundaries of many micro-batches outweigh the model.
JobShape Shape(int micro_batches) {
  JobShape shape = TinyShape({/*vocabulary=*/100, /*width=*/16, /*blocks=*/2,
                              /*context=*/64},
                             {1, 3});
  shape.micro_batch_size = 4;
  shape.micro_batches = micro_batches;
  return shape;
}

int64_t BytesIn(int rounds, JobShape shape) {
  shape.rounds = rounds;
  return DemandOf(shape).total_bytes();
}

int RoundsWith(int64_t pool_bytes, const JobShape& shape) {
  return RoundsThatFit(shape, [pool_bytes](const PoolDemand& demand) {
    return demand.total_bytes() <= pool_bytes;
  });
}

TEST(RoundsTest, AJobWhoseBoundariesFitGoesInOne) {
  const JobShape shape = Shape(64);
  EXPECT_EQ(RoundsWith(BytesIn(1, shape), shape), 1);
  EXPECT_EQ(RoundsWith(BytesIn(1, shape) - 1, shape), 2);
}

TEST(RoundsTest, AreAsFewAsFit) {
  const JobShape shape = Shape(64);
  for (int rounds : {2, 3, 4, 7, 16, 63, 64}) {
    const int fewest = RoundsWith(BytesIn(rounds, shape), shape);
    EXPECT_LE(fewest, rounds);
    EXPECT_LE(BytesIn(fewest, shape), BytesIn(rounds, shape));
    EXPECT_GT(BytesIn(fewest - 1, shape), BytesIn(rounds, shape));
  }
}

TEST(RoundsTest, AreNeverFewerThanTheJobAsksFor) {
  JobShape shape = Shape(64);
  shape.rounds = 5;
  EXPECT_EQ(RoundsWith(BytesIn(1, shape), shape), 5);
  EXPECT_EQ(RoundsWith(BytesIn(16, shape), shape),
            RoundsWith(BytesIn(16, shape), Shape(64)));
}

TEST(RoundsTest, OfAJobThatFitsInNoWayAreThoseThatNeedLeast) {
  EXPECT_EQ(RoundsWith(0, Shape(64)), 64);
  // The gradients of the whole model would take more than the boundaries.
  JobShape small = Shape(2);
  small.micro_batch_size = 1;
  small.context_length = 4;
  ASSERT_GT(BytesIn(2, small), BytesIn(1, small));
  EXPECT_EQ(RoundsWith(0, small), 1);
}

TEST(RoundsTest, ARoundHoldsItsOwnBoundariesAndAllSums) {
  JobShape shape = Shape(64);
  const PoolDemand one = DemandOf(shape);
  shape.rounds = 5;
  const PoolDemand five = DemandOf(shape);
  EXPECT_EQ(five.boundary_bytes(), 13 * one.boundary_bytes() / 64);
  // The tied table has two sums, of the head's rows and of the embedding's; in
  // the last round the head's goes to the embedding as its part.
  EXPECT_EQ(five.gradient_bytes(),
            shape.table->ParameterBytes() + shape.ParameterBytes(0));
  EXPECT_EQ(five.committed_bytes(), one.committed_bytes());
  EXPECT_EQ(five.rounds(), 5);
}

TEST(RoundsTest, ThatAnyNumberFitsIsSeenAtTheFewestAndTheMost) {
  const JobShape shape = Shape(12);
  const std::vector<PoolDemand> demands = DemandsInRounds(shape);
  ASSERT_EQ(demands.size(), 2);
  EXPECT_EQ(demands[0].rounds(), 1);
  EXPECT_EQ(demands[1].rounds(), 12);
  for (int rounds = 2; rounds <= 12; ++rounds) {
    JobShape divided = shape;
    divided.rounds = rounds;
    const PoolDemand demand = DemandOf(divided);
    EXPECT_LE(demands[1].total_bytes(), demand.total_bytes());
    EXPECT_LE(demands[1].largest_write_bytes(), demand.largest_write_bytes());
  }
  EXPECT_EQ(DemandsInRounds(Shape(1)).size(), 1);
}

}  // namespace
}  // namespace hydra
