#include "worker/device/cuda/cuda_device.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/empty.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/full.h"
#include "absl/time/clock.h"
#include "c10/util/Exception.h"
#include "common/clock/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/arena_c10_allocator.h"
#include "worker/device/cuda/testing/fake_cuda.h"
#include "worker/device/cuda/testing/on_fake_cuda.h"
#include "worker/device/testing/device_contract.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr int64_t kLimit = 1 << 20;
constexpr int64_t kSlab = 4096;

using Bytes = std::vector<std::byte>;

CudaDevice::Options OptionsOf(int64_t limit_bytes) {
  CudaDevice::Options options = OnFakeCuda::OptionsOf(limit_bytes);
  options.name = "cuda:1";
  options.slab_bytes = kSlab;
  return options;
}

std::unique_ptr<Device> NewOnFakeCuda(int64_t limit_bytes, bool copies_wait) {
  FakeCuda::Options options;
  options.unregistered_copies_wait = copies_wait;
  return std::make_unique<OnFakeCuda>(options, OptionsOf(limit_bytes));
}

INSTANTIATE_TEST_SUITE_P(
    Cuda, DeviceContractTest,
    testing::Values(DeviceImplementation{"CopiesLate",
                                         [](int64_t limit_bytes) {
                                           return NewOnFakeCuda(limit_bytes,
                                                                false);
                                         }},
                    DeviceImplementation{"UnpinnedCopiesWait",
                                         [](int64_t limit_bytes) {
                                           return NewOnFakeCuda(limit_bytes,
                                                                true);
                                         }}),
    DeviceContractTest::NameOf);

// What is particular: see also the contract.
class CudaDeviceTest : public testing::Test {
 protected:
  static FakeCuda::Options Late() {
    FakeCuda::Options options;
    options.unregistered_copies_wait = false;
    options.asking_brings_on = false;
    return options;
  }

  std::unique_ptr<CudaDevice> NewDevice(CudaDevice::Options options) {
    return CudaDevice::Create(&cuda_, options, UseArenaForCpuTensors).value();
  }
  std::unique_ptr<CudaDevice> NewDevice() {
    return NewDevice(OptionsOf(kLimit));
  }

  static at::Tensor BytesOnDevice(int64_t count, int value) {
    return at::full({count}, value, at::kByte);
  }

  static absl::Span<std::byte> ContentOf(const at::Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.mutable_data_ptr()),
            tensor.nbytes()};
  }

  Bytes host_ = Bytes(10 * kSlab, std::byte{1});
  FakeCuda cuda_{Late()};
};

TEST_F(CudaDeviceTest, CallsReturnBeforeTheCopyIsDone) {
  const auto device = NewDevice();
  const Mark mark = device->CopyToHost(BytesOnDevice(100, 7),
                                       absl::MakeSpan(host_).first(100));
  EXPECT_FALSE(device->IsDone(mark));
  EXPECT_EQ(host_[0], std::byte{1});
  device->Await(mark);
  EXPECT_TRUE(device->IsDone(mark));
  EXPECT_EQ(host_[99], std::byte{7});
}

TEST_F(CudaDeviceTest, WhateverIsAskedGivesBackTheTensorsOfCopiesThatAreDone) {
  const auto device = NewDevice();
  device->CopyToDevice(absl::MakeSpan(host_).first(100), BytesOnDevice(100, 7));
  EXPECT_EQ(device->arena().used_bytes(), 512);
  ASSERT_TRUE(cuda_.SynchronizeDevice().ok());
  EXPECT_TRUE(device->IsDone(Mark{}));
  EXPECT_EQ(device->arena().used_bytes(), 0);
}

// The operations here are the fake's, and as late as copies are.

TEST_F(CudaDeviceTest, ACopyToTheDeviceComesAfterTheOperationsBefore) {
  const auto device = NewDevice();
  const at::Tensor tensor = BytesOnDevice(100, 7);
  std::byte seen{};
  cuda_.Launch(kComputeStream, [&] { seen = ContentOf(tensor)[0]; });
  device->Await(device->CopyToDevice(absl::MakeSpan(host_).first(100), tensor));
  EXPECT_EQ(seen, std::byte{7});
  EXPECT_THAT(ContentOf(tensor), Each(std::byte{1}));
}

TEST_F(CudaDeviceTest, ACopyToTheHostGetsWhatOperationsMade) {
  const auto device = NewDevice();
  const at::Tensor tensor = BytesOnDevice(100, 7);
  cuda_.Launch(kComputeStream,
               [&] { std::memset(ContentOf(tensor).data(), 8, 100); });
  device->Await(device->CopyToHost(tensor, absl::MakeSpan(host_).first(100)));
  EXPECT_EQ(host_[0], std::byte{8});
}

TEST_F(CudaDeviceTest, OperationsWaitForTheMarkAndTheHostDoesNot) {
  const auto device = NewDevice();
  const at::Tensor tensor = BytesOnDevice(100, 7);
  const Mark mark =
      device->CopyToDevice(absl::MakeSpan(host_).first(100), tensor);
  device->WaitFor(mark);
  EXPECT_THAT(ContentOf(tensor), Each(std::byte{7}));
  std::byte seen{};
  cuda_.Launch(kComputeStream, [&] { seen = ContentOf(tensor)[0]; });
  device->ComputeTime();
  EXPECT_EQ(seen, std::byte{1});
}

TEST(CudaDeviceStallTest, ComputeTimeIsWithoutWaitsForCopies) {
  constexpr absl::Duration kCopyTime = absl::Milliseconds(20);
  FakeCuda::Options slow;
  slow.copy_time = kCopyTime;
  slow.unregistered_copies_wait = false;
  slow.asking_brings_on = false;
  FakeCuda cuda(slow);
  const auto device =
      CudaDevice::Create(&cuda, OptionsOf(kLimit), UseArenaForCpuTensors)
          .value();
  const Bytes host(100, std::byte{1});
  const at::Tensor tensor = at::empty({100}, at::kByte);
  const absl::Duration computed = device->ComputeTime();
  const absl::Time begin = SteadyNow();
  device->WaitFor(device->CopyToDevice(host, tensor));
  const absl::Duration more = device->ComputeTime() - computed;
  const absl::Duration stalled = device->StallTime();
  EXPECT_GE(stalled, kCopyTime);
  EXPECT_LE(more, SteadyNow() - begin - kCopyTime);
}

TEST_F(CudaDeviceTest, MemoryThatOperationsUsedIsNotFilledTooEarly) {
  const auto device = NewDevice();
  at::Tensor dropped = BytesOnDevice(kLimit, 7);
  std::byte* const memory = ContentOf(dropped).data();
  std::byte seen{};
  cuda_.Launch(kComputeStream, [&] { seen = memory[0]; });
  dropped.reset();
  const at::Tensor next = at::empty({kSlab}, at::kByte);
  ASSERT_EQ(ContentOf(next).data(), memory);
  device->Await(device->CopyToDevice(absl::MakeSpan(host_).first(kSlab), next));
  EXPECT_EQ(seen, std::byte{7});
}

// Slabs.

TEST_F(CudaDeviceTest, CopiesAcrossTheEdgesOfPinnedSlabs) {
  CudaDevice::Options options = OptionsOf(kLimit);
  options.host_memory = absl::MakeSpan(host_).first(4 * kSlab);
  const auto device = NewDevice(options);
  for (size_t i = 0; i < host_.size(); ++i) {
    host_[i] = static_cast<std::byte>(i * 7 + i / 251);
  }
  const Bytes before = host_;
  // Once while only the first is pinned, and once when all are.
  for (int64_t pinned : {kSlab, 4 * kSlab}) {
    while (device->pinned_bytes() < pinned) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    const auto range = absl::MakeSpan(host_).subspan(100, 3 * kSlab + 500);
    const at::Tensor tensor = BytesOnDevice(range.size(), 0);
    device->Await(device->CopyToDevice(range, tensor));
    std::fill(range.begin(), range.end(), std::byte{0});
    device->Await(device->CopyToHost(tensor, range));
    EXPECT_EQ(host_, before);
  }
  EXPECT_EQ(cuda_.registered_bytes(), 4 * kSlab);
  EXPECT_EQ(cuda_.copies(), 2 * 2 * 4);
}

TEST_F(CudaDeviceTest, UnpinnedMemoryWorks) {
  FakeCuda::Options refuses;
  refuses.allowed_registrations = 0;
  FakeCuda cuda(refuses);
  CudaDevice::Options options = OptionsOf(kLimit);
  options.host_memory = absl::MakeSpan(host_);
  const auto device =
      CudaDevice::Create(&cuda, options, UseArenaForCpuTensors).value();
  const at::Tensor tensor = BytesOnDevice(host_.size(), 7);
  device->Await(device->CopyToHost(tensor, absl::MakeSpan(host_)));
  EXPECT_THAT(host_, Each(std::byte{7}));
  EXPECT_EQ(device->pinned_bytes(), 0);
}

TEST_F(CudaDeviceTest, HostBuffersArePinned) {
  const auto device = NewDevice();
  const HostBuffers::Buffer buffer = device->host_buffers().Take(100);
  device->Await(device->CopyToHost(BytesOnDevice(100, 7), {buffer.get(), 100}));
  EXPECT_EQ(buffer.get()[99], std::byte{7});
  EXPECT_EQ(cuda_.copies(), 1);
  EXPECT_EQ(cuda_.unpinned_copies(), 0);
}

TEST_F(CudaDeviceTest, WithoutPinnedMemoryHostBuffersWork) {
  FakeCuda::Options refuses;
  refuses.gives_host_memory = false;
  FakeCuda cuda(refuses);
  const auto device =
      CudaDevice::Create(&cuda, OptionsOf(kLimit), UseArenaForCpuTensors)
          .value();
  const HostBuffers::Buffer buffer = device->host_buffers().Take(100);
  device->Await(device->CopyToHost(BytesOnDevice(100, 7), {buffer.get(), 100}));
  EXPECT_EQ(buffer.get()[99], std::byte{7});
  EXPECT_EQ(cuda.unpinned_copies(), 1);
}

// The ring of events.

TEST_F(CudaDeviceTest, TakesMoreCopiesThanItHasEvents) {
  CudaDevice::Options options = OptionsOf(kLimit);
  options.most_copies = 3;
  const auto device = NewDevice(options);
  std::vector<Mark> marks;
  for (size_t i = 0; i < 20; ++i) {
    marks.push_back(
        device->CopyToHost(BytesOnDevice(10, static_cast<int>(i) + 2),
                           absl::MakeSpan(host_).subspan(10 * i, 10)));
    // What had to be waited for, and no more.
    for (size_t j = 0; j <= i; ++j) {
      EXPECT_EQ(host_[10 * j] == std::byte{1}, j + 3 > i)
          << "copy " << j << " at the call of copy " << i;
    }
  }
  EXPECT_EQ(marks.back().number, 20);
  device->Await(marks[18]);
  EXPECT_TRUE(device->IsDone(marks[0]));
  EXPECT_EQ(host_[189], std::byte{20});
  EXPECT_EQ(host_[190], std::byte{1});
  device->Synchronize();
  EXPECT_EQ(host_[199], std::byte{21});
  EXPECT_EQ(device->arena().used_bytes(), 0);
}

// Failure.

TEST_F(CudaDeviceTest, AFailureStays) {
  const auto device = NewDevice();
  const at::Tensor tensor = BytesOnDevice(100, 7);
  const auto host = absl::MakeSpan(host_).first(100);
  const Mark before = device->CopyToDevice(host, tensor);
  device->Await(before);
  const Mark mark = device->CopyToHost(tensor, host);
  cuda_.Break(700, "cudaErrorIllegalAddress");
  EXPECT_FALSE(device->IsDone(mark));
  EXPECT_TRUE(device->IsDone(before));
  try {
    device->Await(mark);
    FAIL() << "it was not done";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(),
                HasSubstr("cuda:1 has failed: cudaEventQuery: "
                          "cudaErrorIllegalAddress (700)"));
  }
  EXPECT_THROW(device->Synchronize(), c10::Error);
  EXPECT_THROW(device->Synchronize(), c10::Error);
  EXPECT_THROW(device->WaitFor(mark), c10::Error);
  EXPECT_THROW(device->CopyToDevice(host, tensor), c10::Error);
  EXPECT_FALSE(device->IsDone(mark));
  EXPECT_THAT(host_, Each(std::byte{1}));
}

TEST_F(CudaDeviceTest, AFailureGivesTensorsBack) {
  const auto device = NewDevice();
  device->CopyToHost(BytesOnDevice(100, 7), absl::MakeSpan(host_).first(100));
  EXPECT_EQ(device->arena().used_bytes(), 512);
  cuda_.Break(700, "cudaErrorIllegalAddress");
  EXPECT_THROW(device->Synchronize(), c10::Error);
  EXPECT_EQ(device->arena().used_bytes(), 0);
}

TEST_F(CudaDeviceTest, RefusesTensorsThatLieElsewhere) {
  const auto device = NewDevice();
  Bytes elsewhere(100);
  const at::Tensor tensor = at::from_blob(elsewhere.data(), {100}, at::kByte);
  EXPECT_THROW(device->CopyToDevice(absl::MakeSpan(host_).first(100), tensor),
               c10::Error);
}

// What there is of it.

TEST_F(CudaDeviceTest, SaysWhatMemoryTheGpuHas) {
  const auto refused = CudaDevice::Create(&cuda_, OptionsOf(int64_t{65} << 20),
                                          UseArenaForCpuTensors);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  for (const char* part :
       {"cudaErrorMemoryAllocation (2)", "67108864 of 67108864 bytes free",
        "cuda:1", "68157440"}) {
    EXPECT_THAT(refused.status().message(), HasSubstr(part));
  }
  EXPECT_EQ(
      CudaDevice::Create(&cuda_, OptionsOf(kLimit + 64), UseArenaForCpuTensors)
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(CudaDeviceTest, GivesBackWhatItTookOfCuda) {
  CudaDevice::Options options = OptionsOf(kLimit);
  options.host_memory = absl::MakeSpan(host_);
  auto device = NewDevice(options);
  EXPECT_EQ(cuda_.streams(), 2);
  device->host_buffers().Take(100);
  device->CopyToDevice(host_, BytesOnDevice(host_.size(), 7));
  device.reset();
  EXPECT_EQ(cuda_.streams(), 0);
  EXPECT_EQ(cuda_.events(), 0);
  EXPECT_EQ(cuda_.registered_bytes(), 0);
}

TEST_F(CudaDeviceTest, ItsEndWaitsForCopies) {
  auto device = NewDevice();
  device->CopyToHost(BytesOnDevice(100, 7), absl::MakeSpan(host_).first(100));
  device.reset();
  EXPECT_EQ(host_[99], std::byte{7});
}

TEST_F(CudaDeviceTest, AllocationsAreAligned) {
  const auto device = NewDevice();
  const at::Tensor first = at::empty({1}, at::kByte);
  const at::Tensor second = at::empty({1}, at::kByte);
  EXPECT_EQ(ContentOf(second).data() - ContentOf(first).data(), 512);
}

}  // namespace
}  // namespace hydra
