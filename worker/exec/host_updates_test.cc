#include "worker/exec/host_updates.h"

#include <atomic>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

const VersionId kFirst(1), kSecond(2);

TEST(HostUpdatesTest, AVersionIsMadeOnceAllIsDoneThatMakesIt) {
  HostUpdates updates(1 << 20);
  absl::Notification go_first, go_second;
  updates.Do([&] { go_first.WaitForNotification(); });
  updates.Make(kFirst, 0);
  updates.Do([&] { go_second.WaitForNotification(); });
  updates.Make(kSecond, 1);
  EXPECT_FALSE(updates.IsMade(kFirst));
  go_first.Notify();
  updates.Await(kFirst);
  EXPECT_TRUE(updates.IsMade(kFirst));
  EXPECT_FALSE(updates.IsMade(kSecond));
  go_second.Notify();
  updates.Await(0, updates.newest());
  EXPECT_TRUE(updates.IsMade(kSecond));
}

TEST(HostUpdatesTest, WhatItDoesNotMakeIsMade) {
  HostUpdates updates(1 << 20);
  EXPECT_TRUE(updates.IsMade(kFirst));
  updates.Await(kFirst);
}

TEST(HostUpdatesTest, BuffersWaitForRoomAndAreUsedAgain) {
  HostUpdates updates(/*most_buffered_bytes=*/1000);
  HostUpdates::Buffer first = updates.Take(100);
  HostUpdates::Buffer second = updates.Take(100);
  float* const memory = first.get();
  std::atomic<float*> third = nullptr;
  std::thread waits([&] { third = updates.Take(100).get(); });
  EXPECT_EQ(third, nullptr);
  updates.Do([first = std::move(first)] {});
  waits.join();
  EXPECT_EQ(third, memory);
}

TEST(HostUpdatesTest, OneBufferIsGivenHoweverLarge) {
  HostUpdates updates(/*most_buffered_bytes=*/1000);
  EXPECT_NE(updates.Take(1000), nullptr);
  EXPECT_NE(updates.Take(2000), nullptr);
}

}  // namespace
}  // namespace hydra
