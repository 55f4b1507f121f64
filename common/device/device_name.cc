#include "common/device/device_name.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hydra {

std::optional<DeviceName> DeviceName::Parse(absl::string_view text) {
  DeviceName name;
  if (absl::ConsumePrefix(&text, "cuda:")) {
    name.kind = DeviceKind::kCuda;
  } else if (!absl::ConsumePrefix(&text, "cpu:")) {
    return std::nullopt;
  }
  if (!absl::SimpleAtoi(text, &name.number)) return std::nullopt;
  if (absl::StrCat(name.number) != text) return std::nullopt;
  return name;
}

}  // namespace hydra
