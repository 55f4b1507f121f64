#include "worker/device/cpu/link_model.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydra {

absl::StatusOr<LinkModel> ParseLink(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  LinkModel link;
  link.shared = parts.size() == 3 && parts[2] == "shared";
  if ((parts.size() == 2 || link.shared) &&
      absl::SimpleAtod(parts[0], &link.to_device_bytes_per_second) &&
      absl::SimpleAtod(parts[1], &link.to_host_bytes_per_second) &&
      link.to_device_bytes_per_second > 0 &&
      link.to_host_bytes_per_second > 0) {
    return link;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "expected two numbers of bytes a second, such as 8e9,8e9, and \",shared\""
      " for one bus, found \"",
      text, "\""));
}

LinkTimeline::Use LinkTimeline::Transfer(CopyLane lane, int64_t bytes,
                                         absl::Time ready) {
  const double rate = lane == CopyLane::kPromote
                          ? model_.to_device_bytes_per_second
                          : model_.to_host_bytes_per_second;
  absl::Time& free_at = free_at_[model_.shared ? 0 : static_cast<int>(lane)];
  const absl::Time begin = std::max(free_at, ready);
  free_at = begin + absl::Seconds(static_cast<double>(bytes) / rate);
  return {begin, free_at};
}

}  // namespace hydra
