#include "worker/device/testing/late_device.h"

#include <memory>
#include <vector>

#include "ATen/ops/full.h"
#include "c10/util/Exception.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/testing/device_contract.h"

namespace hydra {
namespace {

std::unique_ptr<LateDevice> NewLateDevice(int64_t limit_bytes) {
  return std::make_unique<LateDevice>(
      CpuDevice::Create(0, limit_bytes).value());
}

INSTANTIATE_TEST_SUITE_P(Late, DeviceContractTest,
                         testing::Values(DeviceImplementation{"Cpu",
                                                              NewLateDevice}),
                         DeviceContractTest::NameOf);

class LateDeviceTest : public testing::Test {
 protected:
  absl::Span<std::byte> Host() {
    return {reinterpret_cast<std::byte*>(host_.data()), 16};
  }

  std::vector<float> host_ = {1, 2, 3, 4};
  const std::unique_ptr<LateDevice> device_ = NewLateDevice(1 << 20);
};

TEST_F(LateDeviceTest, NothingReachesTheHostBeforeItIsSynchronized) {
  device_->CopyToHost(at::full({4}, 7.f), Host());
  EXPECT_EQ(device_->outstanding(), 1);
  EXPECT_NE(host_[0], 7);
  EXPECT_NE(host_[0], 1) << "not poisoned";
  device_->Synchronize();
  EXPECT_EQ(host_, (std::vector<float>{7, 7, 7, 7}));
  EXPECT_EQ(device_->outstanding(), 0);
}

TEST_F(LateDeviceTest, NothingIsOnTheDeviceBeforeItIsWaitedFor) {
  const at::Tensor tensor = at::full({4}, 0.f);
  const Mark mark = device_->CopyToDevice(Host(), tensor);
  EXPECT_FALSE(device_->IsDone(mark));
  EXPECT_TRUE(tensor.isnan().all().item<bool>());
  device_->WaitFor(mark);
  EXPECT_EQ(tensor[3].item<float>(), 4);
}

TEST_F(LateDeviceTest, ATensorThatChangesTooEarlyFailsTheTest) {
  const at::Tensor tensor = at::full({4}, 7.f);
  device_->CopyToHost(tensor, Host());
  tensor.add_(1);
  EXPECT_NONFATAL_FAILURE(device_->Synchronize(),
                          "the source of a copy of 16 bytes");
}

TEST_F(LateDeviceTest, ASourceThatChangesTooEarlyFailsTheTest) {
  device_->CopyToDevice(Host(), at::full({4}, 0.f));
  device_->Synchronize();
  host_[2] = 8;
  device_->CopyToDevice(Host(), at::full({4}, 0.f));
  host_[2] = 9;
  EXPECT_NONFATAL_FAILURE(device_->Synchronize(),
                          "the source of a copy of 16 bytes");
}

TEST_F(LateDeviceTest, FailsWhenAsked) {
  const std::vector<float> before = host_;
  device_->FailNextCopies();
  EXPECT_NO_THROW(device_->Synchronize()) << "there is no copy yet";
  device_->CopyToDevice(Host(), at::full({4}, 0.f));
  EXPECT_THROW(device_->Synchronize(), c10::Error);
  EXPECT_NO_THROW(device_->Synchronize());
}

}  // namespace
}  // namespace hydra
