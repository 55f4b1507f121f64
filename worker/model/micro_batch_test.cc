#include "worker/model/micro_batch.h"

#include <set>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/rand.h"
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
  // LibTorch's generator looks at the lower half of a seed alone.
  std::set<uint32_t> seeds;
  for (uint64_t job = 0; job < 4; ++job) {
    for (int64_t step = 0; step < 5; ++step) {
      for (int64_t micro_batch = 0; micro_batch < 5; ++micro_batch) {
        for (int layer = 0; layer < 5; ++layer) {
          seeds.insert(LayerSeed(DropoutSeed(job, step, micro_batch), layer));
        }
      }
    }
  }
  EXPECT_EQ(seeds.size(), 4 * 5 * 5 * 5);
}

TEST(MicroBatchTest, SeedsNeverChange) {
  EXPECT_EQ(DropoutSeed(42, 7, 1), 8950214677219389925u);
  EXPECT_EQ(LayerSeed(DropoutSeed(42, 7, 1), 3), 1720982266538941061u);
}

TEST(MicroBatchTest, SeedingALayerRepeatsItsNumbers) {
  MicroBatch batch;
  batch.seed = 9;
  SeedLayer(batch, 2);
  const at::Tensor first = at::rand({4});
  EXPECT_FALSE(at::rand({4}).equal(first));
  SeedLayer(batch, 2);
  EXPECT_TRUE(at::rand({4}).equal(first));
}

}  // namespace
}  // namespace hydra
