#ifndef HYDRA_COMMON_SAFETENSORS_DTYPE_H_
#define HYDRA_COMMON_SAFETENSORS_DTYPE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydra::safetensors {

// Every element type of the safetensors format, under the format's own names.
enum class Dtype {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

// All of them, in the order above.
absl::Span<const Dtype> AllDtypes();

// The name in a file's header, "BF16" for example.
absl::string_view DtypeName(Dtype dtype);

// Nothing when the format has no dtype of that name.
std::optional<Dtype> DtypeFromName(absl::string_view name);

// The size of one element. In bits, because F4 and F6 are less than a byte.
int DtypeBits(Dtype dtype);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_DTYPE_H_
