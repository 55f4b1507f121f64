#ifndef HYDRA_COMMON_NVML_LOAD_NVML_H_
#define HYDRA_COMMON_NVML_LOAD_NVML_H_

#include "absl/status/statusor.h"
#include "common/nvml/nvml_table.h"

namespace hydra {

constexpr char kNvmlLibrary[] = "libnvidia-ml.so.1";

// The functions of the library, which stays loaded.
//
// NOT_FOUND: there is no such library, and so no driver.
// FAILED_PRECONDITION: it lacks a function.
absl::StatusOr<NvmlTable> LoadNvml(const char* library = kNvmlLibrary);

}  // namespace hydra

#endif  // HYDRA_COMMON_NVML_LOAD_NVML_H_
