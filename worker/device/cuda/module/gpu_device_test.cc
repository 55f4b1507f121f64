// A CudaDevice on a real GPU, held to the contract of devices. A process gives
// LibTorch one arena, so each test needs a process of its own:
// tests/gpu/run.sh. Without a GPU there are no tests here.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/empty.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/cuda_torch.h"
#include "worker/device/cuda/open_cuda_device.h"
#include "worker/device/device_arena.h"
#include "worker/device/testing/device_contract.h"

namespace hydra {
namespace {

constexpr int64_t kSlab = 1 << 16;

// Null without one.
const Cuda* FindCuda() {
  static const absl::StatusOr<Cuda> cuda = LoadCuda("cuda:0");
  LOG_IF(INFO, !cuda.ok()) << "no GPU, no tests: " << cuda.status();
  return cuda.ok() ? &*cuda : nullptr;
}

std::unique_ptr<CudaDevice> NewDevice(int64_t limit_bytes,
                                      absl::Span<std::byte> host_memory) {
  const Cuda& cuda = *FindCuda();
  CudaDevice::Options options;
  options.name = "cuda:0";
  options.limit_bytes = limit_bytes;
  options.host_memory = host_memory;
  options.slab_bytes = kSlab;
  return CudaDevice::Create(cuda.calls, options,
                            [&cuda](std::unique_ptr<DeviceArena> arena) {
                              return UseArenaForCudaTensors(*cuda.module,
                                                            std::move(arena));
                            })
      .value();
}

std::vector<DeviceImplementation> Implementations() {
  if (FindCuda() == nullptr) return {};
  return {{"Gpu", [](int64_t limit_bytes) -> std::unique_ptr<Device> {
             return NewDevice(limit_bytes, {});
           }}};
}

INSTANTIATE_TEST_SUITE_P(Cuda, DeviceContractTest,
                         testing::ValuesIn(Implementations()),
                         DeviceContractTest::NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DeviceContractTest);

// The contract's host memory is not pinned; a pool is.
class GpuDeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (FindCuda() == nullptr) GTEST_SKIP() << "no GPU";
  }
};

TEST_F(GpuDeviceTest, CopiesPinnedMemoryAcrossSlabs) {
  const DeviceArena::Source mapping = DeviceArena::HostMemory();
  const absl::Span<std::byte> host(mapping.take(4 * kSlab).value(), 4 * kSlab);
  {
    const auto device = NewDevice(1 << 20, host);
    for (int round = 0; round < 2; ++round) {
      const auto range = host.subspan(100, 3 * kSlab);
      for (size_t i = 0; i < range.size(); ++i) {
        range[i] = static_cast<std::byte>(i * 7 + i / 251 + round);
      }
      const std::vector<std::byte> before(range.begin(), range.end());
      const at::Tensor tensor = at::empty(
          {3 * kSlab},
          at::TensorOptions().dtype(at::kByte).device(device->torch_device()));
      device->Await(device->CopyToDevice(range, tensor));
      std::fill(range.begin(), range.end(), std::byte{0});
      device->Await(device->CopyToHost(tensor, range));
      EXPECT_EQ(std::vector<std::byte>(range.begin(), range.end()), before);
      // Then all that was used.
      while (device->pinned_bytes() < 4 * kSlab) {
        absl::SleepFor(absl::Milliseconds(1));
      }
    }
  }
  mapping.give_back(host.data(), host.size());
}

}  // namespace
}  // namespace hydra
