#include "scheduler/core/newest_versions.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

BlockKey Activation(int layer, int micro_batch) {
  return {wv1::BLOCK_KIND_ACTIVATION, layer, micro_batch};
}

TEST(NewestVersionsTest, TheLastTaskThatMakesABlockCounts) {
  BlockTable blocks(/*first_byte=*/0, /*size_bytes=*/1 << 20);
  Job job;
  job.id = JobId(1);
  const Version committed = *blocks.Make(64);
  blocks.Commit(job.id, Activation(1, 0), committed);
  const Version first = *blocks.Make(64);
  const Version second = *blocks.Make(64);
  job.outstanding.resize(2);
  job.outstanding[0].made = {{Activation(2, 0), first}};
  job.outstanding[1].made = {{Activation(2, 0), second}};
  const NewestVersions newest(blocks, job);
  EXPECT_EQ(newest.Find(Activation(1, 0))->id, committed.id);
  EXPECT_EQ(newest.Find(Activation(2, 0))->id, second.id);
  EXPECT_EQ(newest.Find(Activation(3, 0)), nullptr);
}

// By looking through the tasks for each block it took seconds.
TEST(NewestVersionsTest, FindsTheMicroBatchesOfTheLongestStep) {
  constexpr int kMicroBatches = 65'536;
  const BlockTable blocks(/*first_byte=*/0, /*size_bytes=*/1 << 20);
  Job job;
  job.outstanding.resize(1);
  for (int i = 0; i < kMicroBatches; ++i) {
    job.outstanding[0].made.emplace_back(Activation(1, i), Version());
  }
  const absl::Time start = absl::Now();
  const NewestVersions newest(blocks, job);
  int found = 0;
  for (int i = 0; i < kMicroBatches; ++i) {
    found += newest.Find(Activation(1, i)) != nullptr ? 1 : 0;
  }
  EXPECT_EQ(found, kMicroBatches);
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(500));
}

}  // namespace
}  // namespace hydra
