#ifndef HYDRA_COMMON_POOL_INSTANCE_ID_H_
#define HYDRA_COMMON_POOL_INSTANCE_ID_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// Tells one pool from every other one that had the same path: 128 random bits.
// A plain value.
struct InstanceId {
  uint64_t high = 0;
  uint64_t low = 0;

  // A new one, from the kernel's random numbers.
  static InstanceId Random();

  // Reads what ToHex wrote.
  //
  // INVALID_ARGUMENT: not 32 hexadecimal digits.
  static absl::StatusOr<InstanceId> FromHex(absl::string_view hex);

  // 32 lower-case hexadecimal digits, for messages and for flags.
  std::string ToHex() const;

  friend bool operator==(const InstanceId& a, const InstanceId& b) {
    return a.high == b.high && a.low == b.low;
  }
  friend bool operator!=(const InstanceId& a, const InstanceId& b) {
    return !(a == b);
  }
};

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_INSTANCE_ID_H_
