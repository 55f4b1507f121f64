#include "scheduler/service/account_names.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/notification.h"

namespace hydra {
namespace {

TEST(AccountNamesTest, AreLookedUpOnce) {
  std::atomic<int> asked = 0;
  AccountNames names([&](uid_t user) {
    ++asked;
    return user == 1000 ? "alice" : "";
  });
  // Of a machine that has not answered in time the number is shown.
  while (names.Of(1000) != "alice") {
  }
  EXPECT_EQ(names.Of(1001), "1001");
  EXPECT_EQ(names.Of(1001), "1001");
  EXPECT_EQ(names.Of(1000), "alice");
  while (asked < 2) {
  }
  EXPECT_EQ(asked, 2);
}

TEST(AccountNamesTest, ADirectoryThatDoesNotAnswerKeepsNobodyWaiting) {
  absl::Notification answers;
  AccountNames names([&](uid_t) {
    answers.WaitForNotification();
    return std::string("alice");
  });
  EXPECT_EQ(names.Of(1000), "1000");
  // At once: nobody waits a second time.
  EXPECT_EQ(names.Of(1000), "1000");
  answers.Notify();
  while (names.Of(1000) != "alice") {
  }
}

}  // namespace
}  // namespace hydra
