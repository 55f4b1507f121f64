#include "worker/device/cpu/linked_device.h"

#include <memory>

#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/testing/device_contract.h"

namespace hydra {
namespace {

std::unique_ptr<Device> NewLinkedDevice(int64_t limit_bytes, bool shared) {
  return std::make_unique<LinkedDevice>(
      CpuDevice::Create(0, limit_bytes).value(), LinkModel{1e9, 5e8, shared});
}

INSTANTIATE_TEST_SUITE_P(
    Linked, DeviceContractTest,
    testing::Values(DeviceImplementation{"TwoWays",
                                         [](int64_t limit_bytes) {
                                           return NewLinkedDevice(limit_bytes,
                                                                  false);
                                         }},
                    DeviceImplementation{"SharedBus",
                                         [](int64_t limit_bytes) {
                                           return NewLinkedDevice(limit_bytes,
                                                                  true);
                                         }}),
    DeviceContractTest::NameOf);

}  // namespace
}  // namespace hydra
