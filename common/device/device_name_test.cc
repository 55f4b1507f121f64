#include "common/device/device_name.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(DeviceNameTest, KnowsBothKinds) {
  const auto cpu = DeviceName::Parse("cpu:0");
  ASSERT_TRUE(cpu.has_value());
  EXPECT_EQ(cpu->kind, DeviceKind::kCpu);
  EXPECT_EQ(cpu->number, 0);
  const auto gpu = DeviceName::Parse("cuda:12");
  ASSERT_TRUE(gpu.has_value());
  EXPECT_EQ(gpu->kind, DeviceKind::kCuda);
  EXPECT_EQ(gpu->number, 12);
}

TEST(DeviceNameTest, KnowsOneSpellingOfEach) {
  for (const char* other :
       {"", "cpu", "cpu:", "cpu:01", "cpu:-1", "cpu:+1", "cpu: 1", "cpu:1 ",
        "CPU:0", "cuda", "cuda:", "cuda:00", "cuda:0,1", "gpu:0",
        "cuda:4294967296"}) {
    EXPECT_FALSE(DeviceName::Parse(other).has_value()) << other;
  }
}

}  // namespace
}  // namespace hydra
