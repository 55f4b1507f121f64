#include "worker/device/testing/foreign_device.h"

#include <memory>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/scalar_tensor.h"
#include "ATen/ops/zeros.h"
#include "c10/util/Exception.h"
#include "gtest/gtest.h"
#include "worker/device/testing/device_contract.h"

namespace hydra {
namespace {

std::unique_ptr<Device> NewForeignDevice(int64_t limit_bytes) {
  return std::make_unique<ForeignDevice>(limit_bytes);
}

INSTANTIATE_TEST_SUITE_P(Foreign, DeviceContractTest,
                         testing::Values(DeviceImplementation{
                             "Processor", NewForeignDevice}),
                         DeviceContractTest::NameOf);

class ForeignDeviceTest : public testing::Test {
 protected:
  ForeignDevice device_{1 << 20};
  const at::TensorOptions there_ =
      at::TensorOptions().device(device_.torch_device());
  const at::Tensor ones_ = at::ones({2, 3}, there_);
};

TEST_F(ForeignDeviceTest, ItsTensorsAreNoCpuTensors) {
  EXPECT_FALSE(ones_.is_cpu());
  EXPECT_EQ(ones_.device(), device_.torch_device());
  EXPECT_EQ((ones_ + ones_).device(), device_.torch_device());
  EXPECT_TRUE(ones_.cpu().is_cpu());
}

TEST_F(ForeignDeviceTest, ItComputesAsTheProcessor) {
  const at::Tensor here = at::arange(6.0).view({2, 3});
  const at::Tensor there = here.to(device_.torch_device());
  EXPECT_TRUE(there.t().mm(there).cpu().equal(here.t().mm(here)));
  EXPECT_EQ(there.sum().item<float>(), 15);
}

TEST_F(ForeignDeviceTest, ViewsShareTheirMemory) {
  const int64_t used = device_.arena().used_bytes();
  ones_.t().narrow(0, 1, 1).add_(ones_[0][0]);
  EXPECT_TRUE(ones_.cpu().select(1, 1).eq(2).all().item<bool>());
  EXPECT_EQ(ones_.sum().item<float>(), 8);
  EXPECT_EQ(device_.arena().used_bytes(), used);
}

TEST_F(ForeignDeviceTest, OperandsOnTheCpuAreRefused) {
  const at::Tensor here = at::ones({2, 3});
  EXPECT_THROW(ones_ + here, c10::Error);
  EXPECT_THROW(here + ones_, c10::Error);
  EXPECT_THROW(ones_.index_select(0, at::zeros({1}, at::kLong)), c10::Error);
  EXPECT_THROW(at::scalar_tensor(1).add_(ones_.sum()), c10::Error);
  // As on a GPU.
  EXPECT_NO_THROW(ones_ + at::scalar_tensor(1));
}

TEST_F(ForeignDeviceTest, CopiesOfCpuTensorsAreRefused) {
  std::vector<std::byte> host(4);
  EXPECT_THROW(device_.CopyToDevice(host, at::zeros({1})), c10::Error);
  EXPECT_THROW(device_.CopyToHost(at::zeros({1}), absl::MakeSpan(host)),
               c10::Error);
}

using ForeignDeviceDeathTest = ForeignDeviceTest;

TEST_F(ForeignDeviceDeathTest, TheHostCannotTouchItsMemory) {
  EXPECT_DEATH(EXPECT_EQ(*ones_.const_data_ptr<float>(), 1),
               "The host has used a pointer");
  EXPECT_DEATH(*ones_.mutable_data_ptr<float>() = 2,
               "The host has used a pointer");
}

}  // namespace
}  // namespace hydra
