#include "common/jobfile/account_entry.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(AccountEntryTest, UsersAndGroups) {
  for (const char* name : {"alice", "1000", "DOMAIN\\alice", "a.b-c_d$"}) {
    const auto user = ParseAccountEntry(name);
    ASSERT_TRUE(user.has_value()) << name;
    EXPECT_FALSE(user->is_group);
    EXPECT_EQ(user->name, name);
  }
  const auto group = ParseAccountEntry("group  hydra");
  ASSERT_TRUE(group.has_value());
  EXPECT_TRUE(group->is_group);
  EXPECT_EQ(group->name, "hydra");
}

TEST(AccountEntryTest, WhatIsNeither) {
  for (const char* text : {"", " ", "group", "group a b", "user alice",
                           "alice,bob", "group:hydra", "a\nb"}) {
    EXPECT_FALSE(ParseAccountEntry(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace hydra
