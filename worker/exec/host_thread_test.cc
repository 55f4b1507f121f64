#include "worker/exec/host_thread.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "absl/synchronization/notification.h"
#include "c10/util/Exception.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

TEST(HostThreadTest, DoesOneThingAfterAnother) {
  HostThread thread;
  absl::Notification go;
  std::vector<int> done;
  thread.Do([&] {
    go.WaitForNotification();
    done.push_back(1);
  });
  const uint64_t second = thread.Do([&] { done.push_back(2); });
  EXPECT_EQ(second, 2);
  EXPECT_FALSE(thread.IsDone(1));
  go.Notify();
  thread.Await(0, second);
  EXPECT_TRUE(thread.IsDone(1));
  EXPECT_THAT(done, ElementsAre(1, 2));
}

TEST(HostThreadTest, WhatWorkHeldIsGoneOnceItIsDone) {
  HostThread thread;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> weak = held;
  const uint64_t number = thread.Do([held = std::move(held)] {});
  thread.Await(0, number);
  EXPECT_TRUE(weak.expired());
}

TEST(HostThreadTest, AFailureIsToldToAllWhoseWorkItIsAndTheRestIsDone) {
  HostThread thread;
  bool went_on = false;
  thread.Do([] {});
  thread.Do([] { throw std::runtime_error("no link"); });
  thread.Do([&] { went_on = true; });
  thread.Await(0, 1);
  thread.Await(2, 3);
  EXPECT_TRUE(went_on);
  for (int i = 0; i < 2; ++i) {
    try {
      thread.Await(1, 3);
      FAIL() << "told of nothing";
    } catch (const c10::Error& error) {
      EXPECT_THAT(error.what_without_backtrace(),
                  testing::HasSubstr("no link"));
    }
  }
}

TEST(HostThreadTest, EndsWithWhatIsLeftDone) {
  bool done = false;
  std::optional<HostThread> thread(std::in_place);
  thread->Do([&] { done = true; });
  thread.reset();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace hydra
