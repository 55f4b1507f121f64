#include "worker/device/cpu/cpu_device.h"

#include <cstring>
#include <vector>

#include "ATen/ops/arange.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "c10/util/Exception.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kLimit = 1 << 20;

TEST(CpuDeviceTest, EveryCpuTensorLiesInTheArena) {
  CpuDevice* device = CpuDevice::Create(0, kLimit).value();
  EXPECT_EQ(device->name(), "cpu:0");
  const int64_t before = device->arena().used_bytes();
  at::Tensor tensor = at::ones({1000}).add(1);
  EXPECT_TRUE(device->arena().Contains(tensor.const_data_ptr()));
  EXPECT_EQ(device->arena().used_bytes() - before, 4032);
  tensor.reset();
  EXPECT_EQ(device->arena().used_bytes(), before);
}

TEST(CpuDeviceTest, TensorsBeyondTheLimitThrowWithTheNumbers) {
  CpuDevice* device = CpuDevice::Create(0, kLimit).value();
  at::Tensor half = at::empty({kLimit / 8});
  try {
    at::empty({kLimit / 4});
    FAIL() << "the limit was exceeded";
  } catch (const c10::OutOfMemoryError& error) {
    const std::string message = error.what_without_backtrace();
    EXPECT_NE(message.find("1048576 bytes"), std::string::npos) << message;
    EXPECT_NE(message.find("524288 of 1048576 are in use"), std::string::npos)
        << message;
  }
  EXPECT_EQ(device->arena().used_bytes(), kLimit / 2);
}

TEST(CpuDeviceTest, TensorsOfAnOlderDeviceGoBackToItsArena) {
  CpuDevice* older = CpuDevice::Create(0, kLimit).value();
  at::Tensor tensor = at::empty({100});
  CpuDevice* newer = CpuDevice::Create(1, kLimit).value();
  at::Tensor other = at::empty({100});
  EXPECT_TRUE(older->arena().Contains(tensor.const_data_ptr()));
  EXPECT_TRUE(newer->arena().Contains(other.const_data_ptr()));
  tensor.reset();
  EXPECT_EQ(older->arena().used_bytes(), 0);
  EXPECT_EQ(newer->arena().used_bytes(), 448);
}

TEST(CpuDeviceTest, ViewsOfHostMemoryTakeNoDeviceMemory) {
  CpuDevice* device = CpuDevice::Create(0, kLimit).value();
  std::vector<float> host(1000, 1);
  at::Tensor view = at::from_blob(host.data(), {1000});
  EXPECT_EQ(device->arena().used_bytes(), 0);
}

TEST(CpuDeviceTest, CopiesThereAndBack) {
  CpuDevice* device = CpuDevice::Create(0, kLimit).value();
  std::vector<float> host = {1, 2, 3, 4};
  std::vector<float> back(4);
  at::Tensor tensor = at::empty({4});
  device->CopyToDevice(
      absl::MakeConstSpan(reinterpret_cast<std::byte*>(host.data()), 16),
      tensor);
  device->CopyToHost(
      tensor, absl::MakeSpan(reinterpret_cast<std::byte*>(back.data()), 16));
  device->Synchronize();
  EXPECT_EQ(back, host);
}

TEST(CpuDeviceTest, MemoryOutsideOfTheArenaIsCountedApart) {
  CpuDevice* device = CpuDevice::Create(0, 64 << 20).value();
  const int64_t before = device->OutsideBytes();
  at::Tensor inside = at::ones({8 << 20});
  EXPECT_LT(device->OutsideBytes() - before, 8 << 20);
  std::vector<char> outside(32 << 20, 1);
  EXPECT_GT(device->OutsideBytes() - before, 31 << 20);
}

TEST(CpuDeviceTest, ComputeTimeGrowsWithWork) {
  CpuDevice* device = CpuDevice::Create(0, kLimit).value();
  const absl::Duration begin = device->ComputeTime();
  at::Tensor sum = at::zeros({1000});
  while (device->ComputeTime() - begin < absl::Milliseconds(1)) sum.add_(1);
  EXPECT_GT(device->ComputeTime(), begin);
}

}  // namespace
}  // namespace hydra
