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
  EXPECT_EQ(*FindUser("4000000000"), 4'000'000'000u);
  EXPECT_EQ(*FindUser("4000000001"), 4000000001);
  EXPECT_EQ(*FindGroup("4000000001"), 4000000001);
  EXPECT_EQ(NameOfUser(4000000001), "");
}

TEST(AccountsTest, WhatThereIsNot) {
  // The system's own functions would see "root", and "7".
  const std::string with_nul("root\0x", 6);
  const std::string number_with_nul("7\0", 2);
  for (const std::string& name :
       {std::string(), std::string("no-such-account"), std::string("-1"),
        std::string("+7"), std::string("4294967295"), std::string("4294967296"),
        std::string("1x"), std::string(1 << 20, 'a'), with_nul,
        number_with_nul}) {
    EXPECT_EQ(FindUser(name).status().code(), absl::StatusCode::kNotFound)
        << name;
    EXPECT_EQ(FindGroup(name).status().code(), absl::StatusCode::kNotFound)
        << name;
  }
  EXPECT_EQ(FindUser("no-such-user-here").status().message(),
            "there is no user 'no-such-user-here'");
}

}  // namespace
}  // namespace hydra
