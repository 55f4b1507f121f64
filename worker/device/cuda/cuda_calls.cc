#include "worker/device/cuda/cuda_calls.h"

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case kCudaErrorMemoryAllocation:
      return absl::StatusCode::kResourceExhausted;
    case kCudaErrorInsufficientDriver:
    case kCudaErrorNoDevice:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status CudaErrorStatus(absl::string_view call, int error,
                             absl::string_view name, absl::string_view text) {
  return {CodeOf(error),
          absl::StrCat(call, ": ", name, " (", error, "): ", text)};
}

}  // namespace hydra
