#include "worker/device/cuda/module/runtime_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cuda/cuda_runtime.h"

namespace hydra {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(RuntimeTableTest, EveryFunctionIsThere) {
  const CudaRuntimeTable table = RuntimeTable();
  // Nothing but pointers to functions.
  const auto* const functions = reinterpret_cast<void* const*>(&table);
  for (size_t i = 0; i < sizeof(table) / sizeof(void*); ++i) {
    EXPECT_NE(functions[i], nullptr) << "function " << i;
  }
}

TEST(RuntimeTableTest, WithoutAGpuEveryCallSaysWhy) {
  CudaRuntime cuda(RuntimeTable());
  if (cuda.DeviceCount().ok()) GTEST_SKIP() << "there is a GPU";
  const auto is_refusal =
      AnyOf(HasSubstr("cudaErrorInsufficientDriver (35)"),
            HasSubstr("cudaErrorNoDevice (100)"), HasSubstr("(34)"));
  EXPECT_EQ(cuda.DeviceCount().status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(cuda.DeviceCount().status().message(), is_refusal);
  EXPECT_THAT(cuda.Malloc(1).status().message(), is_refusal);
  EXPECT_THAT(cuda.CreateStream().status().message(), is_refusal);
  EXPECT_THAT(cuda.CreateEvent().status().message(), is_refusal);
  EXPECT_THAT(cuda.SynchronizeDevice().message(), is_refusal);
}

}  // namespace
}  // namespace hydra
