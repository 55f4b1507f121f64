#ifndef HYDRA_WORKER_DEVICE_TESTING_DEVICE_CONTRACT_H_
#define HYDRA_WORKER_DEVICE_TESTING_DEVICE_CONTRACT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "gtest/gtest.h"
#include "worker/device/device.h"

namespace hydra {

// An implementation of Device under test. `make` returns one whose arena is
// empty.
struct DeviceImplementation {
  std::string name;
  std::function<std::unique_ptr<Device>(int64_t limit_bytes)> make;
};

// What every Device promises. An implementation's test links this library and
// names the implementation:
//
//   INSTANTIATE_TEST_SUITE_P(
//       Mine, DeviceContractTest,
//       testing::Values(DeviceImplementation{"Mine", MakeMyDevice}),
//       DeviceContractTest::NameOf);
class DeviceContractTest : public testing::TestWithParam<DeviceImplementation> {
 public:
  static std::string NameOf(const testing::TestParamInfo<ParamType>& info) {
    return info.param.name;
  }

 protected:
  static constexpr int64_t kLimitBytes = 1 << 20;

  using Bytes = std::vector<std::byte>;

  // Different for each seed, and at each place.
  static Bytes Pattern(size_t bytes, int seed);

  // Flat tensors on the device.
  at::Tensor NewBytes(int64_t count) const;
  at::Tensor NewFloats(int64_t count, float value) const;

  int64_t UsedBytes() const { return device_->arena().used_bytes(); }

  // The tensor's content, once everything before is done.
  Bytes Read(const at::Tensor& tensor) const;
  float ReadFirst(const at::Tensor& floats) const;

  std::unique_ptr<Device> device_ = GetParam().make(kLimitBytes);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_DEVICE_CONTRACT_H_
