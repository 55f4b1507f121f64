#include "scheduler/service/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Right kRights[] = {Right::kSee, Right::kRead, Right::kDownload,
                             Right::kPause, Right::kCancel};

Caller CallerIn(uid_t user, std::vector<gid_t> groups) {
  return {user, 1, std::make_shared<const std::vector<gid_t>>(groups)};
}

// One letter for each right: yes, no, hidden.
std::string Row(Role role, bool private_jobs) {
  std::string row;
  for (Right right : kRights) {
    row += "ynh"[static_cast<int>(Decide(role, right, private_jobs))];
  }
  return row;
}

TEST(AccessTest, TheTable) {
  for (bool is_private : {false, true}) {
    EXPECT_EQ(Row(Role::kOwner, is_private), "yyyyy");
    EXPECT_EQ(Row(Role::kMember, is_private), "yyyyn");
    EXPECT_EQ(Row(Role::kOperator, is_private), "yyyyy");
  }
  EXPECT_EQ(Row(Role::kOther, false), "ynnnn");
  EXPECT_EQ(Row(Role::kOther, true), "hhhhh");
}

TEST(AccessTest, Roles) {
  AccessPolicy::Rules rules;
  rules.operators.users = {0};
  rules.operators.groups = {900};
  const AccessPolicy policy(rules);
  const Ownership job{Caller{1000}, 500};
  EXPECT_EQ(policy.RoleOf(Caller{1000}, job), Role::kOwner);
  EXPECT_EQ(policy.RoleOf(Caller{0}, job), Role::kOperator);
  EXPECT_EQ(policy.RoleOf(CallerIn(1001, {900}), job), Role::kOperator);
  EXPECT_EQ(policy.RoleOf(CallerIn(1001, {100, 500}), job), Role::kMember);
  EXPECT_EQ(policy.RoleOf(CallerIn(1001, {100}), job), Role::kOther);
  EXPECT_EQ(policy.RoleOf(CallerIn(1001, {500}), {Caller{1000}, {}}),
            Role::kOther)
      << "without a project";
  // By TCP.
  EXPECT_EQ(policy.RoleOf(Caller(), job), Role::kOther);
}

TEST(AccessTest, WhatNobodyOwnsIsEverybodys) {
  const AccessPolicy policy;
  EXPECT_EQ(policy.RoleOf(Caller{1000}, {}), Role::kOwner);
  EXPECT_EQ(policy.RoleOf(Caller(), {}), Role::kOwner);
}

TEST(AccessTest, WithoutARuleEverybodyMayEnter) {
  EXPECT_TRUE(AccessPolicy().MayEnter(Caller{1000}));
  EXPECT_TRUE(AccessPolicy().MayEnter(Caller()));
  EXPECT_FALSE(AccessPolicy().IsOperator(Caller{0}));
}

TEST(AccessTest, ThoseWhoAreAllowedAndOperatorsMayEnter) {
  AccessPolicy::Rules rules;
  rules.allowed.emplace();
  rules.allowed->users = {1000};
  rules.allowed->groups = {500};
  rules.operators.users = {0};
  const AccessPolicy policy(rules);
  EXPECT_TRUE(policy.MayEnter(Caller{1000}));
  EXPECT_TRUE(policy.MayEnter(CallerIn(1001, {500})));
  EXPECT_TRUE(policy.MayEnter(Caller{0}));
  EXPECT_FALSE(policy.MayEnter(Caller{1001}));
  EXPECT_FALSE(policy.MayEnter(CallerIn(1001, {100})));
  EXPECT_FALSE(policy.MayEnter(Caller()));
}

TEST(AccessTest, TheUnknownUserIsInNoAccounts) {
  Accounts accounts;
  accounts.users = {kUnknownUser};
  EXPECT_FALSE(accounts.Has(Caller()));
}

TEST(AccessTest, WhoMayNotEnterIsToldTheRemedy) {
  AccessPolicy::Rules rules;
  rules.allowed.emplace();
  rules.allowed_text = "group hydra, alice";
  rules.allowed_group = "hydra";
  absl::Status refused = AccessPolicy(rules).NotForYou(Caller{1001}, "bob");
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refused.message(),
            "you may not use this server: it is for group hydra, alice. Ask "
            "for: sudo usermod -aG hydra bob, then log in again");
  rules.allowed_group.clear();
  refused = AccessPolicy(rules).NotForYou(Caller{1001}, "bob");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("add bob to allow"));
  // No group should have an account that stands for everybody.
  rules.allowed_group = "hydra";
  refused = AccessPolicy(rules).NotForYou(Caller(), "nobody");
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("use a unix socket"), Not(HasSubstr("usermod"))));
}

TEST(AccessTest, WhoIsRefusedIsToldWhoMay) {
  const absl::Status refused = NotYours("j7", "alice", Right::kCancel);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refused.message(),
            "j7 is alice's, and can be cancelled, deleted or given another "
            "priority by its owner and by operators alone");
  EXPECT_THAT(std::string(NotYours("s2", "alice", Right::kRead).message()),
              AllOf(HasSubstr("s2 is alice's"), HasSubstr("members")));
}

TEST(AccessPolicyTest, RulesThatReplaceOthersAreThoseOfAllCopies) {
  AccessPolicy policy;
  const AccessPolicy copy = policy;
  AccessPolicy::Rules rules;
  rules.operators.users = {1002};
  rules.private_jobs = true;
  EXPECT_FALSE(copy.IsOperator(Caller{1002}));
  policy.TakeRulesOf(AccessPolicy(rules));
  EXPECT_TRUE(copy.IsOperator(Caller{1002}));
  EXPECT_TRUE(copy.private_jobs());
  EXPECT_FALSE(AccessPolicy().private_jobs());
}

}  // namespace
}  // namespace hydra
