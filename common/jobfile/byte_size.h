#ifndef HYDRA_COMMON_JOBFILE_BYTE_SIZE_H_
#define HYDRA_COMMON_JOBFILE_BYTE_SIZE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// Reads a size as people write it: "512MiB", "8 GiB", "1.5GB", "65536". Units
// are B, KiB, MiB, GiB, TiB (powers of 1024) and KB, MB, GB, TB (powers of
// 1000), in any case; without one, bytes. Pure.
//
// INVALID_ARGUMENT: anything else, a negative number, a fraction of a byte, or
//   more than an int64_t holds.
absl::StatusOr<int64_t> ParseByteSize(absl::string_view text);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_BYTE_SIZE_H_
