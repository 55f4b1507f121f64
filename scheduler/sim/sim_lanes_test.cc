#include "scheduler/sim/sim_lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;
using ::testing::UnorderedElementsAre;

// Links of a byte a second, tasks that compute for 10 s.
class SimLanesTest : public ::testing::Test {
 protected:
  using Blocks = std::vector<std::pair<uint64_t, int64_t>>;

  static LaneTimes Times(int64_t cache_bytes) {
    LaneTimes times;
    times.compute = [](const wv1::Task&) { return absl::Seconds(10); };
    times.bytes_per_second = 1;
    times.cache_bytes = cache_bytes;
    return times;
  }
  // Reads parameters and writes boundaries: version, bytes.
  static wv1::Task Forward(const Blocks& reads, const Blocks& writes) {
    wv1::Task task;
    task.set_kind(wv1::TASK_KIND_FORWARD);
    for (const auto& [version, bytes] : reads) {
      Add(wv1::BLOCK_KIND_PARAMETERS, version, bytes, *task.add_reads());
    }
    for (const auto& [version, bytes] : writes) {
      Add(wv1::BLOCK_KIND_ACTIVATION, version, bytes, *task.add_writes());
    }
    return task;
  }
  static void Add(wv1::BlockKind kind, uint64_t version, int64_t bytes,
                  wv1::BlockVersion& block) {
    block.set_kind(kind);
    block.set_version(version);
    block.set_size_bytes(bytes);
  }
  static absl::Time At(int seconds) { return absl::FromUnixSeconds(seconds); }
};

TEST_F(SimLanesTest, CopiesInBeforeAndOutBesideComputing) {
  SimLanes lanes(Times(100));
  const SimLanes::Done done =
      lanes.Run(Forward({{1, 4}}, {{2, 12}}), At(100), At(100));
  EXPECT_EQ(done.computed, At(114));
  EXPECT_EQ(done.written, At(116));
  EXPECT_EQ(lanes.moved_bytes(), 16);
}

TEST_F(SimLanesTest, WhatIsKnownComesWhileAnotherComputes) {
  SimLanes lanes(Times(100));
  lanes.Run(Forward({{1, 4}}, {}), At(100), At(100));
  // The lane is free at 104.
  const SimLanes::Done done =
      lanes.Run(Forward({{2, 15}}, {}), At(101), At(114));
  EXPECT_EQ(done.computed, At(129)) << "5 s too late";
}

TEST_F(SimLanesTest, WithoutRoomItComesWhenTheOtherIsDone) {
  SimLanes lanes(Times(10));
  lanes.Run(Forward({{1, 4}}, {}), At(100), At(100));
  const SimLanes::Done done =
      lanes.Run(Forward({{2, 15}}, {}), At(101), At(114));
  EXPECT_EQ(done.computed, At(139));
}

TEST_F(SimLanesTest, WhatIsThereIsNotCopiedAgain) {
  SimLanes lanes(Times(20));
  lanes.Run(Forward({{1, 8}}, {{2, 8}}), At(0), At(0));
  EXPECT_THAT(lanes.Versions(), UnorderedElementsAre(1, 2));
  const SimLanes::Done done = lanes.Run(Forward({{1, 8}}, {}), At(18), At(18));
  EXPECT_EQ(done.computed, At(28));
  lanes.Run(Forward({{3, 8}}, {}), At(28), At(28));
  EXPECT_THAT(lanes.Versions(), UnorderedElementsAre(1, 3))
      << "the one that was used longest ago makes room";
}

TEST_F(SimLanesTest, WhatTheHostMakesComesOnceItIsThere) {
  SimLanes lanes(Times(100));
  wv1::Task backward = Forward({{1, 4}}, {});
  backward.set_kind(wv1::TASK_KIND_BACKWARD);
  // A gradient leaves, and the host makes version 2 of it.
  Add(wv1::BLOCK_KIND_PARAMETERS, 2, 20, *backward.add_writes());
  const SimLanes::Done first = lanes.Run(backward, At(0), At(0));
  EXPECT_EQ(first.written, At(24));
  const SimLanes::Done next =
      lanes.Run(Forward({{2, 20}}, {}), At(0), first.computed);
  EXPECT_EQ(next.computed, At(24 + 20 + 10));
}

TEST_F(SimLanesTest, OneAfterAnother) {
  LaneTimes times = Times(0);
  times.copies_beside = false;
  SimLanes lanes(times);
  const SimLanes::Done done =
      lanes.Run(Forward({{1, 4}}, {{2, 12}}), At(0), At(100));
  EXPECT_EQ(done.computed, At(126));
  EXPECT_EQ(done.written, At(126));
}

}  // namespace
}  // namespace hydra
