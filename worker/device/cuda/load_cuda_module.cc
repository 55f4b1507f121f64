#include "worker/device/cuda/load_cuda_module.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr char kFileName[] = "libhydra_cuda.so";
// In a tree that Bazel built, from the folder of hydra-worker.
constexpr char kPlaceInBuild[] = "device/cuda/module";
constexpr char kHowToBuild[] =
    "build it where the CUDA toolkit is, by deploy/build.sh";

}  // namespace

std::string CudaModulePath() {
  std::error_code error;
  const std::filesystem::path folder =
      std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::filesystem::path built = folder / kPlaceInBuild / kFileName;
  if (std::filesystem::exists(built, error)) return built.string();
  return (folder / kFileName).string();
}

absl::StatusOr<const CudaModule*> LoadCudaModule(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this build has no CUDA: there is no ", path, "; ", kHowToBuild));
  }
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot load ", path, ": ", dlerror(),
        "; the libraries of CUDA come with PyTorch: build with LIBTORCH_ROOT "
        "(a bundle: start its programs with it), the folder \"torch\" of an "
        "installed PyTorch of the same version"));
  }
  const auto get_module =
      reinterpret_cast<GetCudaModule>(dlsym(library, kCudaModuleSymbol));
  const CudaModule* const module =
      get_module == nullptr ? nullptr : get_module();
  if (module == nullptr || module->format != kCudaModuleFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is not of the same build as this program; ", kHowToBuild));
  }
  return module;
}

}  // namespace hydra
