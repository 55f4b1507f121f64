#include "worker/device/cpu/copy_lanes.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "c10/util/Exception.h"
#include "common/clock/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

constexpr LinkModel kFast = {1e12, 1e12, false};

class CopyLanesTest : public testing::Test {
 protected:
  // One that writes its name down, after `gate` if there is one.
  LaneCopy Named(const std::string& name, absl::Notification* gate = nullptr,
                 size_t first = 0, size_t bytes = 0) {
    const auto copy = [this, name, gate] {
      if (gate != nullptr) gate->WaitForNotification();
      absl::MutexLock lock(&mu_);
      done_.push_back(name);
    };
    return {copy, absl::MakeConstSpan(host_).subspan(first, bytes)};
  }

  std::vector<std::byte> host_ = std::vector<std::byte>(100);
  absl::Mutex mu_;
  std::vector<std::string> done_;
};

TEST_F(CopyLanesTest, CopiesBesideItsCaller) {
  CopyLanes lanes(kFast);
  absl::Notification gate;
  const Mark mark = lanes.Enqueue(CopyLane::kPromote, Named("a", &gate));
  EXPECT_FALSE(lanes.IsDone(mark));
  gate.Notify();
  lanes.Await(mark);
  EXPECT_TRUE(lanes.IsDone(mark));
  EXPECT_THAT(done_, ElementsAre("a"));
}

TEST_F(CopyLanesTest, LanesDoNotWaitForEachOther) {
  CopyLanes lanes(kFast);
  absl::Notification gate;
  lanes.Enqueue(CopyLane::kPromote, Named("in", &gate, 0, 50));
  lanes.Await(lanes.Enqueue(CopyLane::kDemote, Named("out", nullptr, 50, 50)));
  EXPECT_THAT(done_, ElementsAre("out"));
  gate.Notify();
}

TEST_F(CopyLanesTest, KnowsHowLongEachLaneCopied) {
  // 100 bytes take a twentieth of a second.
  CopyLanes lanes({2000, 2000, false});
  absl::Notification gate;
  lanes.Await(lanes.Enqueue(CopyLane::kPromote, Named("in", nullptr, 0, 100)));
  const absl::Duration took = lanes.CopyTime(CopyLane::kPromote);
  EXPECT_GE(took, absl::Milliseconds(49));
  EXPECT_EQ(lanes.CopyTime(CopyLane::kPromote), took) << "nothing is under way";
  EXPECT_EQ(lanes.CopyTime(CopyLane::kDemote), absl::ZeroDuration());
  lanes.Enqueue(CopyLane::kPromote, Named("held", &gate));
  while (lanes.CopyTime(CopyLane::kPromote) <= took) {
    std::this_thread::yield();
  }
  gate.Notify();
}

TEST_F(CopyLanesTest, ALaneKeepsItsOrder) {
  CopyLanes lanes(kFast);
  absl::Notification gate;
  lanes.Enqueue(CopyLane::kDemote, Named("first", &gate));
  const Mark last = lanes.Enqueue(CopyLane::kDemote, Named("last"));
  gate.Notify();
  lanes.Await(last);
  EXPECT_THAT(done_, ElementsAre("first", "last"));
}

TEST_F(CopyLanesTest, SharedHostMemoryKeepsTheOrderOfBothLanes) {
  CopyLanes lanes(kFast);
  absl::Notification gate;
  lanes.Enqueue(CopyLane::kDemote, Named("write", &gate, 10, 20));
  const Mark read =
      lanes.Enqueue(CopyLane::kPromote, Named("read", nullptr, 29, 20));
  const Mark other =
      lanes.Enqueue(CopyLane::kDemote, Named("write again", nullptr, 48, 1));
  EXPECT_FALSE(lanes.IsDone(read));
  gate.Notify();
  lanes.Await(other);
  EXPECT_THAT(done_, ElementsAre("write", "read", "write again"));
}

TEST_F(CopyLanesTest, TakeNoLessThanTheLinkNeeds) {
  CopyLanes lanes({/*to_device=*/10000, /*to_host=*/1e12, /*shared=*/false});
  const absl::Time begin = SteadyNow();
  lanes.Enqueue(CopyLane::kPromote, Named("a", nullptr, 0, 50));
  lanes.Await(lanes.Enqueue(CopyLane::kPromote, Named("b", nullptr, 50, 50)));
  EXPECT_GE(SteadyNow() - begin, absl::Milliseconds(10));
}

TEST_F(CopyLanesTest, WhatACopyThrowsIsToldOnce) {
  CopyLanes lanes(kFast);
  lanes.Enqueue(CopyLane::kPromote,
                {[] { TORCH_CHECK(false, "no such page"); }, {}});
  const Mark last = lanes.Enqueue(CopyLane::kPromote, Named("after"));
  try {
    lanes.Await(last);
    FAIL() << "nothing was thrown";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(),
                testing::HasSubstr("no such page"));
  }
  EXPECT_THAT(done_, ElementsAre("after"));
  EXPECT_NO_THROW(lanes.AwaitAll());
}

TEST_F(CopyLanesTest, AwaitsTheOldestUntilNoneIsLeft) {
  CopyLanes lanes(kFast);
  EXPECT_FALSE(lanes.AwaitOldest());
  const Mark in = lanes.Enqueue(CopyLane::kPromote, Named("in"));
  const Mark out = lanes.Enqueue(CopyLane::kDemote, Named("out"));
  while (lanes.AwaitOldest()) {
  }
  EXPECT_TRUE(lanes.IsDone(in));
  EXPECT_TRUE(lanes.IsDone(out));
}

TEST_F(CopyLanesTest, ItsEndDoesWhatIsLeft) {
  absl::Notification gate;
  {
    CopyLanes lanes(kFast);
    lanes.Enqueue(CopyLane::kPromote, Named("a", &gate));
    lanes.Enqueue(CopyLane::kPromote, Named("b"));
    gate.Notify();
  }
  EXPECT_THAT(done_, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace hydra
