#include "worker/model/micro_batch.h"

#include <set>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(MicroBatchTest, TargetsAreTheInputsOneTokenLater) {
  MicroBatch batch;
  batch.tokens = at::arange(10, at::kLong).view({2, 5});
  EXPECT_EQ(batch.sequences(), 2);
  EXPECT_EQ(batch.context(), 4);
  EXPECT_EQ(batch.target_count(), 8);
  EXPECT_TRUE((batch.Inputs() + 1).equal(batch.Targets()));
  EXPECT_EQ(batch.Targets()[1][3].item<int64_t>(), 9);
}

TEST(MicroBatchTest, EveryPassOfAJobHasItsOwnSeed) {
  std::set<uint64_t> seeds;
  for (uint64_t job = 0; job < 4; ++job) {
    for (int64_t step = 0; step < 5; ++step) {
      for (int64_t micro_batch = 0; micro_batch < 5; ++micro_batch) {
        for (int layer = 0; layer < 5; ++layer) {
          for (int mask = 0; mask < 3; ++mask) {
            seeds.insert(
                MaskSeed(DropoutSeed(job, step, micro_batch), layer, mask));
          }
        }
      }
    }
  }
  EXPECT_EQ(seeds.size(), 4 * 5 * 5 * 5 * 3);
}

TEST(MicroBatchTest, SeedsNeverChange) {
  EXPECT_EQ(DropoutSeed(42, 7, 1), 8950214677219389925u);
  EXPECT_EQ(MaskSeed(DropoutSeed(42, 7, 1), 3, 2), 804678964762343120u);
}

}  // namespace
}  // namespace hydra
