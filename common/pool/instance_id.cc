#include "common/pool/instance_id.h"

#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

constexpr size_t kHexDigits = 16;  // Of one half.

}  // namespace

InstanceId InstanceId::Random() {
  InstanceId id;
  PCHECK(getentropy(&id, sizeof(id)) == 0);
  return id;
}

absl::StatusOr<InstanceId> InstanceId::FromHex(absl::string_view hex) {
  InstanceId id;
  const bool all_digits =
      hex.find_first_not_of("0123456789abcdefABCDEF") == hex.npos;
  if (hex.size() != 2 * kHexDigits || !all_digits ||
      !absl::SimpleHexAtoi(hex.substr(0, kHexDigits), &id.high) ||
      !absl::SimpleHexAtoi(hex.substr(kHexDigits), &id.low)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a pool instance id has 32 hexadecimal digits, found \"", hex, "\""));
  }
  return id;
}

std::string InstanceId::ToHex() const {
  return absl::StrCat(absl::Hex(high, absl::kZeroPad16),
                      absl::Hex(low, absl::kZeroPad16));
}

}  // namespace hydra
