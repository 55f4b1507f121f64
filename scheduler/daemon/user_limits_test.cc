#include "scheduler/daemon/user_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/jobfile/daemon_config.h"
#include "scheduler/core/account_of.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

const Account kRoot = AccountOf(Caller{0});
const Account kThousand = AccountOf(Caller{1000});

config::v1::DaemonConfig Config(absl::string_view text) {
  Mistakes mistakes;
  config::v1::DaemonConfig config = ReadDaemonConfig(text, &mistakes);
  EXPECT_EQ(ToStatus(mistakes), absl::OkStatus());
  FillDefaults(&config);
  return config;
}

TEST(UserLimitsTest, SharesAreByAccounts) {
  const auto shares = SharesOf(
      Config("shares: {half_life_hours: 6, users: [{name: root, weight: 2}, "
             "{name: '1000', weight: 0.5}]}"));
  ASSERT_TRUE(shares.ok()) << shares.status();
  EXPECT_EQ(shares->half_life, absl::Hours(6));
  EXPECT_EQ(shares->weights.at(kRoot), 2);
  EXPECT_EQ(shares->weights.at(kThousand), 0.5);
  EXPECT_EQ(SharesOf(Config(""))->half_life, absl::Hours(24));
}

TEST(UserLimitsTest, WhatAUsersQuotaDoesNotSayIsAsForEach) {
  const auto quotas = QuotasOf(
      Config("quotas: {each_user: {queued_jobs: 5, pool_bytes: 1GiB}, users: "
             "[{name: root, quota: {queued_jobs: 0, admitted_jobs: 3}}]}"));
  ASSERT_TRUE(quotas.ok()) << quotas.status();
  EXPECT_EQ(quotas->each.queued_jobs, 5);
  EXPECT_EQ(quotas->each.admitted_jobs, 0);
  EXPECT_EQ(quotas->each.pool_bytes, 1 << 30);
  const Quota& root = quotas->accounts.at(kRoot);
  EXPECT_EQ(root.queued_jobs, 0);
  EXPECT_EQ(root.admitted_jobs, 3);
  EXPECT_EQ(root.pool_bytes, 1 << 30);
  EXPECT_EQ(QuotasOf(Config(""))->each.queued_jobs, 20'000);
}

TEST(UserLimitsTest, AnUnknownUserIsToldWithItsField) {
  const absl::Status shares =
      SharesOf(Config("shares: {users: [{name: root, weight: 1}, "
                      "{name: no-such-user-here, weight: 1}]}"))
          .status();
  EXPECT_EQ(shares.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(shares.message()),
              HasSubstr("shares.users[1].name: there is no user"));
  const absl::Status quotas =
      QuotasOf(Config("quotas: {users: {name: no-such-user-here}}")).status();
  EXPECT_THAT(std::string(quotas.message()),
              HasSubstr("quotas.users[0].name: there is no user"));
}

}  // namespace
}  // namespace hydra
