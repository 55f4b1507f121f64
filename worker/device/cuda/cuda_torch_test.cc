#include "worker/device/cuda/cuda_torch.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "ATen/Context.h"
#include "c10/util/Exception.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(CudaTorchTest, AsksForExactOperations) {
  UseExactCudaOperations();
  const at::Context& context = at::globalContext();
  EXPECT_TRUE(context.deterministicAlgorithms());
  EXPECT_FALSE(context.deterministicAlgorithmsWarnOnly());
  EXPECT_FALSE(context.deterministicFillUninitializedMemory());
  EXPECT_FALSE(context.userEnabledCuDNNSDP());
  EXPECT_FALSE(context.allowTF32CuBLAS());
  EXPECT_FALSE(context.allowTF32CuDNN());
  for (const at::CuBLASReductionOption option :
       {context.allowFP16ReductionCuBLAS(),
        context.allowBF16ReductionCuBLAS()}) {
    EXPECT_EQ(option,
              at::CuBLASReductionOption::DisallowReducedPrecisionAllowSplitK);
  }
  EXPECT_EQ(
      context.float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL),
      at::Float32Precision::IEEE);
}

TEST(CudaTorchTest, LeavesTheEnvironmentItsSay) {
  constexpr char kVariable[] = "CUBLAS_WORKSPACE_CONFIG";
  unsetenv(kVariable);
  SetCudaEnvironment();
  EXPECT_STREQ(std::getenv(kVariable), ":4096:8");
  setenv(kVariable, ":16:8", 1);
  SetCudaEnvironment();
  EXPECT_STREQ(std::getenv(kVariable), ":16:8");
}

void* (*allocate)(size_t bytes) = nullptr;
void (*give_back)(void* memory) = nullptr;

TEST(CudaTorchTest, TensorsLieInTheArenaAndRefusalsAreOutOfMemory) {
  CudaModule module{};
  module.use_allocator = [](void* (*a)(size_t), void (*f)(void*)) {
    allocate = a;
    give_back = f;
  };
  DeviceArena* const arena =
      UseArenaForCudaTensors(module, DeviceArena::Create(4096).value());
  EXPECT_EQ(allocate(0), nullptr);
  void* const memory = allocate(4096);
  EXPECT_TRUE(arena->Contains(memory));
  EXPECT_THROW(allocate(1), c10::OutOfMemoryError);
  give_back(memory);
  EXPECT_EQ(arena->used_bytes(), 0);
}

TEST(CudaTorchTest, WithoutAGpuItIsNoFirstOperation) {
  if (at::hasCUDA()) GTEST_SKIP() << "this LibTorch has CUDA";
  EXPECT_EQ(WarmUpCuda().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace hydra
