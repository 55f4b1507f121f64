#include "worker/device/cuda/cuda_torch.h"

#include <cstddef>
#include <cstdlib>
#include <exception>

#include "ATen/Context.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/mm.h"
#include "ATen/ops/ones.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "worker/device/arena_c10_allocator.h"

namespace hydra {
namespace {

// LibTorch keeps its allocator, and so this, until the process ends.
DeviceArena* cuda_arena = nullptr;

}  // namespace

void SetCudaEnvironment() {
  // Eight buffers of 4 MiB: cuBLAS then adds in one order.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
}

void UseExactCudaOperations() {
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  // Nobody reads what was not written; it would take time.
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setSDPUseCuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  // Parts of a product's sums are not rounded before they are added up.
  context.setAllowFP16ReductionCuBLAS(/*allow_reduced_precision=*/false);
  context.setAllowBF16ReductionCuBLAS(/*allow_reduced_precision=*/false);
}

DeviceArena* UseArenaForCudaTensors(const CudaModule& module,
                                    std::unique_ptr<DeviceArena> arena) {
  CHECK(cuda_arena == nullptr) << "a process has one GPU";
  cuda_arena = arena.release();
  module.use_allocator(
      [](size_t bytes) { return AllocateOrThrow(*cuda_arena, bytes); },
      [](void* memory) { cuda_arena->Free(memory); });
  return cuda_arena;
}

absl::Status WarmUpCuda() {
  try {
    const at::Tensor one = at::ones(
        {1, 1}, at::TensorOptions().dtype(at::kFloat).device(at::kCUDA));
    const float product = one.mm(one).item<float>();
    if (product == 1) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat("the GPU computes 1 * 1 = ", product));
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace hydra
