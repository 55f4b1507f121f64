#include "worker/exec/host_updates.h"

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

const VersionId kFirst(1), kSecond(2);

TEST(HostUpdatesTest, AVersionIsMadeOnceAllIsDoneThatMakesIt) {
  HostUpdates updates;
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
  HostUpdates updates;
  EXPECT_TRUE(updates.IsMade(kFirst));
  updates.Await(kFirst);
}

}  // namespace
}  // namespace hydra
