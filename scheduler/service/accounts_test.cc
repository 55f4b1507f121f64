#include "scheduler/service/accounts.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(AccountsTest, RootIsThere) {
  EXPECT_EQ(*FindUser("root"), 0);
  EXPECT_EQ(*FindGroup("root"), 0);
  EXPECT_EQ(NameOfUser(0), "root");
}

TEST(AccountsTest, NumbersNeedNoAccount) {
  EXPECT_EQ(*FindUser("4000000001"), 4000000001);
  EXPECT_EQ(*FindGroup("4000000001"), 4000000001);
  EXPECT_EQ(NameOfUser(4000000001), "");
}

TEST(AccountsTest, WhatThereIsNot) {
  for (const char* name :
       {"", "no-such-account", "-1", "+7", "4294967295", "4294967296", "1x"}) {
    EXPECT_EQ(FindUser(name).status().code(), absl::StatusCode::kNotFound)
        << name;
    EXPECT_EQ(FindGroup(name).status().code(), absl::StatusCode::kNotFound)
        << name;
  }
}

}  // namespace
}  // namespace hydra
