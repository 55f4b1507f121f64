#include "common/jobfile/device_flag.h"

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/jobfile/byte_size.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

absl::Status Wrong(absl::string_view part, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("in ", Quoted(part), ": ", what));
}

absl::StatusOr<double> ParseLink(absl::string_view part,
                                 absl::string_view text) {
  double gb_per_second = 0;
  if (absl::SimpleAtod(text, &gb_per_second) && std::isfinite(gb_per_second)) {
    return gb_per_second;
  }
  return Wrong(part,
               absl::StrCat("expected a number of GB/s, found ", Quoted(text)));
}

absl::StatusOr<DeviceFlag> ParseDevice(absl::string_view part) {
  const size_t equals = part.find('=');
  DeviceFlag device;
  device.name = std::string(part.substr(0, equals));
  if (equals == part.npos) return device;
  const auto bytes = ParseByteSize(part.substr(equals + 1));
  if (!bytes.ok()) return Wrong(part, bytes.status().message());
  device.memory_limit_bytes = *bytes;
  return device;
}

}  // namespace

absl::StatusOr<std::vector<DeviceFlag>> ParseDeviceFlags(
    absl::Span<const std::string> flags) {
  std::vector<DeviceFlag> devices;
  const std::string text = absl::StrJoin(flags, ",");
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    absl::string_view link = part;
    if (!absl::ConsumePrefix(&link, "link=")) {
      absl::StatusOr<DeviceFlag> device = ParseDevice(part);
      if (!device.ok()) return device.status();
      devices.push_back(*std::move(device));
      continue;
    }
    if (devices.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a device before ", Quoted(part)));
    }
    const absl::StatusOr<double> speed = ParseLink(part, link);
    if (!speed.ok()) return speed.status();
    devices.back().link_gb_per_second = *speed;
  }
  return devices;
}

}  // namespace hydra
