#include "scheduler/daemon/access_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace hydra {
namespace {

using ::testing::HasSubstr;

Caller CallerIn(uid_t user, std::vector<gid_t> groups) {
  return {user, 1, std::make_shared<const std::vector<gid_t>>(groups)};
}

TEST(AccessRulesTest, WithoutKeysEverybodyMayEnterAndRootAndHydradOperate) {
  const absl::StatusOr<AccessPolicy> policy = AccessOf({});
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_TRUE(policy->MayEnter(Caller{12001}));
  EXPECT_FALSE(policy->IsOperator(Caller{12001}));
  EXPECT_TRUE(policy->IsOperator(Caller{0}));
  EXPECT_TRUE(policy->IsOperator(Caller{geteuid()}));
  EXPECT_FALSE(policy->private_jobs());
}

TEST(AccessRulesTest, NamesAndNumbersOfUsersAndGroups) {
  config::v1::DaemonConfig config;
  config.add_allow("12001");
  config.add_allow("group 12100");
  config.add_allow("group root");
  config.add_operators("group 12200");
  config.set_private_jobs(true);
  const absl::StatusOr<AccessPolicy> policy = AccessOf(config);
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_TRUE(policy->MayEnter(Caller{12001}));
  EXPECT_TRUE(policy->MayEnter(CallerIn(12002, {5, 12100})));
  EXPECT_TRUE(policy->MayEnter(CallerIn(12002, {0})));
  EXPECT_TRUE(policy->MayEnter(CallerIn(12002, {12200}))) << "operators may";
  EXPECT_FALSE(policy->MayEnter(CallerIn(12002, {5})));
  EXPECT_TRUE(policy->IsOperator(CallerIn(12002, {12200})));
  EXPECT_FALSE(policy->IsOperator(CallerIn(12002, {12100})));
  EXPECT_TRUE(policy->private_jobs());
  EXPECT_THAT(std::string(policy->NotForYou(Caller{1003}, "eve").message()),
              HasSubstr("it is for 12001, group 12100, group root. Ask for: "
                        "sudo usermod -aG 12100 eve"));
}

TEST(AccessRulesTest, WhoIsNotThereIsAMistake) {
  config::v1::DaemonConfig config;
  config.add_operators("root");
  config.add_operators("group no-such-group");
  absl::Status status = AccessOf(config).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "operators[1]: there is no group 'no-such-group'");
  config.clear_operators();
  config.add_allow("no-such-user");
  status = AccessOf(config).status();
  EXPECT_EQ(status.message(), "allow[0]: there is no user 'no-such-user'");
}

}  // namespace
}  // namespace hydra
