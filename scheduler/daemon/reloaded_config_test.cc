#include "scheduler/daemon/reloaded_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::v1::DaemonConfig Running() {
  config::v1::DaemonConfig config;
  config.add_allow("group hydra");
  config.mutable_pool()->set_size_bytes(100);
  config.mutable_shares()->set_half_life_hours(24);
  config.add_devices()->set_name("cpu:0");
  return config;
}

TEST(ReloadedConfigTest, TakesWhatConcernsUsers) {
  config::v1::DaemonConfig next = Running();
  next.add_allow("alice");
  next.add_operators("bob");
  next.set_private_jobs(true);
  next.mutable_shares()->add_users()->set_name("alice");
  next.mutable_quotas()->mutable_each_user()->set_queued_jobs(5);
  const config::v1::DaemonConfig taken = ReloadedConfig(Running(), next);
  EXPECT_THAT(DifferingFields(taken, next), IsEmpty());
  EXPECT_THAT(DifferingFields(Running(), taken),
              ElementsAre("allow", "operators", "private_jobs", "shares.users",
                          "quotas.each_user.queued_jobs"));
}

TEST(ReloadedConfigTest, NamesWhatOnlyAStartTakes) {
  config::v1::DaemonConfig next = Running();
  next.mutable_allow()->Clear();
  next.mutable_pool()->set_size_bytes(200);
  next.mutable_shares()->set_half_life_hours(12);
  next.mutable_devices(0)->set_name("cpu:1");
  const config::v1::DaemonConfig taken = ReloadedConfig(Running(), next);
  EXPECT_EQ(taken.pool().size_bytes(), 100);
  EXPECT_THAT(taken.allow(), IsEmpty());
  EXPECT_THAT(
      DifferingFields(taken, next),
      ElementsAre("pool.size_bytes", "devices", "shares.half_life_hours"));
}

}  // namespace
}  // namespace hydra
