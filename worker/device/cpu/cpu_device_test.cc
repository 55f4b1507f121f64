#include "worker/device/cpu/cpu_device.h"

#include <memory>
#include <vector>

#include "ATen/ops/empty.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "worker/device/testing/device_contract.h"

namespace hydra {
namespace {

constexpr int64_t kLimit = 1 << 20;

std::unique_ptr<CpuDevice> NewDevice(int64_t limit_bytes) {
  return CpuDevice::Create(0, limit_bytes).value();
}

INSTANTIATE_TEST_SUITE_P(Cpu, DeviceContractTest,
                         testing::Values(DeviceImplementation{"Cpu",
                                                              NewDevice}),
                         DeviceContractTest::NameOf);

TEST(CpuDeviceTest, IsNamedByItsNumber) {
  EXPECT_EQ(CpuDevice::Create(3, kLimit).value()->name(), "cpu:3");
}

TEST(CpuDeviceTest, RefusesALimitThatItsArenaCannotHave) {
  EXPECT_EQ(CpuDevice::Create(0, 100).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CpuDeviceTest, TensorsOfAnOlderDeviceGoBackToItsArena) {
  const auto older = NewDevice(kLimit);
  at::Tensor tensor = at::empty({100});
  const auto newer = NewDevice(kLimit);
  at::Tensor other = at::empty({100});
  EXPECT_TRUE(older->arena().Contains(tensor.const_data_ptr()));
  EXPECT_TRUE(newer->arena().Contains(other.const_data_ptr()));
  tensor.reset();
  EXPECT_EQ(older->arena().used_bytes(), 0);
  EXPECT_EQ(newer->arena().used_bytes(), 448);
}

TEST(CpuDeviceTest, ViewsOfHostMemoryTakeNoDeviceMemory) {
  const auto device = NewDevice(kLimit);
  std::vector<float> host(1000, 1);
  at::Tensor view = at::from_blob(host.data(), {1000});
  EXPECT_EQ(device->arena().used_bytes(), 0);
}

TEST(CpuDeviceTest, MemoryOutsideOfTheArenaIsCountedApart) {
  const auto device = NewDevice(kLimit);
  const int64_t before = device->OutsideBytes();
  std::vector<char> outside(32 << 20, 1);
  EXPECT_GT(device->OutsideBytes() - before, 31 << 20);
}

TEST(CpuDeviceTest, ComputeTimeGrowsWithWork) {
  const auto device = NewDevice(kLimit);
  const absl::Duration begin = device->ComputeTime();
  at::Tensor sum = at::zeros({1000});
  while (device->ComputeTime() - begin < absl::Milliseconds(1)) sum.add_(1);
  EXPECT_GT(device->ComputeTime(), begin);
}

}  // namespace
}  // namespace hydra
