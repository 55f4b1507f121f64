#include "scheduler/core/finer_cuts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/gpt2_table.h"
#include "scheduler/core/admission.h"

namespace hydra {
namespace {

using hydra::v1::PoolDemand;
using ::testing::Contains;
using ::testing::ElementsAre;

// Ten layers, whose blocks are alike and larger than the token table.
JobShape Shape(const std::vector<int>& cuts) {
  Gpt2Config config;
  config.vocab_size = 20;
  config.n_positions = 16;
  config.n_embd = 16;
  config.n_layer = 8;
  config.n_head = 2;
  config.n_inner = 64;
  JobShape shape;
  shape.table = BuildGpt2Table(config);
  shape.context_length = 4;
  shape.state_factor = 2;
  shape.shards = ShardsOf(cuts, 10);
  return shape;
}

std::optional<std::vector<int>> CutsFor(int64_t pool_bytes,
                                        const JobShape& shape) {
  return FinerCuts(shape, [pool_bytes](const PoolDemand& demand) {
    return demand.total_bytes() + demand.largest_write_bytes() <= pool_bytes;
  });
}

int64_t NeedOf(const JobShape& shape) {
  const PoolDemand demand = DemandOf(shape);
  return demand.total_bytes() + demand.largest_write_bytes();
}

TEST(FinerCutsTest, AreTheGivenOnesWhereTheJobFits) {
  const JobShape shape = Shape({3});
  EXPECT_THAT(*CutsFor(NeedOf(shape), shape), ElementsAre(3));
}

TEST(FinerCutsTest, HalveTheShardThatWritesMost) {
  const JobShape shape = Shape({3});
  EXPECT_THAT(*CutsFor(NeedOf(shape) - 1, shape), ElementsAre(3, 6));
  const std::optional<std::vector<int>> finer =
      CutsFor(NeedOf(Shape({2, 3, 4, 5, 6, 7})), shape);
  ASSERT_TRUE(finer.has_value());
  EXPECT_THAT(*finer, Contains(3));
  EXPECT_LE(NeedOf(Shape(*finer)), NeedOf(Shape({2, 3, 4, 5, 6, 7})));
}

TEST(FinerCutsTest, ThereAreNoneForAPoolThatIsTooSmallForAnyPartition) {
  EXPECT_FALSE(
      CutsFor(NeedOf(Shape({1, 2, 3, 4, 5, 6, 7, 8, 9})) / 2, Shape({}))
          .has_value());
}

// Room for the shards' writes, and for the boundaries of some micro-batches.
TEST(FinerCutsTest, GoInRoundsWhereThatTakesLess) {
  JobShape shape = Shape({});
  shape.micro_batches = 1000;
  JobShape fine = Shape({2, 4, 6, 8});
  fine.micro_batches = fine.rounds = 1000;
  ASSERT_LT(NeedOf(fine), NeedOf(shape));
  EXPECT_TRUE(CutsFor(NeedOf(fine), shape).has_value());
}

}  // namespace
}  // namespace hydra
