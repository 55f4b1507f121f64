#include "worker/device/cuda/cuda_runtime.h"

#include <cstdio>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace hydra {
namespace {

// What the functions below return.
int result = 0;

CudaRuntimeTable Table() {
  CudaRuntimeTable table{};
  table.error_name = [](int) { return "cudaErrorName"; };
  table.error_string = [](int) { return "some words"; };
  table.malloc = [](void**, size_t) { return result; };
  table.event_query = [](void*) { return result; };
  table.memcpy_to_device = [](void* to, const void* from, size_t bytes, void*) {
    std::memcpy(to, from, bytes);
    return 0;
  };
  table.memcpy_to_host = table.memcpy_to_device;
  return table;
}

TEST(CudaRuntimeTest, ErrorsHaveTheCallTheNameTheNumberAndTheWords) {
  CudaRuntime cuda(Table());
  result = 2;
  EXPECT_EQ(cuda.Malloc(1).status(),
            absl::ResourceExhaustedError(
                "cudaMalloc: cudaErrorName (2): some words"));
  result = 35;
  EXPECT_EQ(cuda.Malloc(1).status().code(),
            absl::StatusCode::kFailedPrecondition);
  result = 700;
  EXPECT_EQ(cuda.Malloc(1).status().code(), absl::StatusCode::kInternal);
}

TEST(CudaRuntimeTest, NotReadyIsNoError) {
  CudaRuntime cuda(Table());
  result = 600;
  EXPECT_FALSE(cuda.IsDone(nullptr).value());
  result = 0;
  EXPECT_TRUE(cuda.IsDone(nullptr).value());
  result = 700;
  EXPECT_FALSE(cuda.IsDone(nullptr).ok());
}

TEST(CudaRuntimeTest, SaysWhereTheDeviceIs) {
  CudaRuntimeTable table = Table();
  table.device_get_pci_bus_id = [](char* id, int bytes, int) {
    return std::snprintf(id, bytes, "0000:3B:00.0") == 12 ? result : 1;
  };
  CudaRuntime cuda(table);
  result = 0;
  EXPECT_EQ(cuda.PciBusId().value(), "0000:3B:00.0");
  result = 100;
  EXPECT_FALSE(cuda.PciBusId().ok());
}

TEST(CudaRuntimeTest, TimesAreOfMilliseconds) {
  CudaRuntimeTable table = Table();
  table.event_elapsed_time = [](float* milliseconds, void*, void*) {
    *milliseconds = 2.5;
    return result;
  };
  CudaRuntime cuda(table);
  result = 0;
  EXPECT_EQ(cuda.TimeBetween(nullptr, nullptr).value(),
            absl::Microseconds(2500));
  result = 400;
  EXPECT_FALSE(cuda.TimeBetween(nullptr, nullptr).ok());
}

TEST(CudaRuntimeTest, CopiesGoTheirWay) {
  CudaRuntime cuda(Table());
  std::vector<std::byte> host(100, std::byte{1});
  std::vector<std::byte> device(100, std::byte{2});
  ASSERT_TRUE(
      cuda.CopyToDevice(nullptr, absl::MakeSpan(host).first(99), device.data())
          .ok());
  EXPECT_EQ(device[98], std::byte{1});
  EXPECT_EQ(device[99], std::byte{2});
  ASSERT_TRUE(cuda.CopyToHost(nullptr, device.data() + 99,
                              absl::MakeSpan(host).first(1))
                  .ok());
  EXPECT_EQ(host[0], std::byte{2});
  EXPECT_EQ(host[1], std::byte{1});
}

}  // namespace
}  // namespace hydra
