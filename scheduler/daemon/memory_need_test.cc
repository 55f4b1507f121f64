#include "scheduler/daemon/memory_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Two devices of 10 B and a pool of 30 B.
config::v1::DaemonConfig Config(int64_t device_bytes = 10) {
  config::v1::DaemonConfig config;
  for (const char* name : {"cpu:0", "cpu:1"}) {
    config::v1::DeviceConfig& device = *config.add_devices();
    device.set_name(name);
    device.set_memory_limit_bytes(device_bytes);
  }
  config.mutable_pool()->set_size_bytes(30);
  return config;
}

TEST(CheckMemoryNeedTest, DevicesAndPoolFitTogetherOrAreRefused) {
  EXPECT_TRUE(CheckMemoryNeed(Config(), true, {50, 50}).ok());
  EXPECT_TRUE(CheckMemoryNeed(Config(), true, {50, std::nullopt}).ok());
  const absl::Status machine = CheckMemoryNeed(Config(), true, {49, 1000});
  EXPECT_TRUE(absl::IsResourceExhausted(machine));
  EXPECT_THAT(std::string(machine.message()),
              AllOf(HasSubstr("2 CPU devices are 20 B"), HasSubstr("30 B"),
                    HasSubstr("machine has 49 B")));
  const absl::Status cgroup = CheckMemoryNeed(Config(), true, {1000, 49});
  EXPECT_TRUE(absl::IsResourceExhausted(cgroup));
  EXPECT_THAT(std::string(cgroup.message()), HasSubstr("cgroup allows 49 B"));
}

TEST(CheckMemoryNeedTest, APoolOnADiskTakesNoMemory) {
  EXPECT_TRUE(CheckMemoryNeed(Config(), false, {20, 20}).ok());
  EXPECT_FALSE(CheckMemoryNeed(Config(), false, {19, 20}).ok());
}

TEST(CheckMemoryNeedTest, LimitsAreAddedWithoutOverflow) {
  EXPECT_FALSE(CheckMemoryNeed(Config(std::numeric_limits<int64_t>::max()),
                               true, {50, 50})
                   .ok());
}

TEST(CheckMemoryNeedTest, KnowsThisMachine) {
  EXPECT_TRUE(CheckMemoryNeedHere(Config()).ok());
  const absl::Status refused = CheckMemoryNeedHere(Config(int64_t{900} << 40));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
}

}  // namespace
}  // namespace hydra
