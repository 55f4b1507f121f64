#include "client/watch/patience.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(PatienceTest, EndsWithItsTime) {
  Interrupt user;
  Patience patience(absl::ZeroDuration(), &user);
  EXPECT_TRUE(patience.interrupt()->WaitFor(absl::InfiniteDuration()));
  EXPECT_TRUE(patience.ended());
  EXPECT_FALSE(user.triggered());
}

TEST(PatienceTest, EndsWithTheUsers) {
  Interrupt user;
  Patience patience(absl::InfiniteDuration(), &user);
  EXPECT_FALSE(patience.interrupt()->triggered());
  user.Trigger();
  EXPECT_TRUE(patience.interrupt()->triggered());
  EXPECT_FALSE(patience.ended());
}

TEST(PatienceTest, WhatIsNotNeededAnyMoreEndsAtOnce) {
  Interrupt user;
  { Patience patience(absl::InfiniteDuration(), &user); }
  EXPECT_FALSE(user.Trigger()) << "nobody listens any more";
}

}  // namespace
}  // namespace hydra
