#include "client/commands/since.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// A century.
constexpr int kMostDays = 36'500;

}  // namespace

absl::StatusOr<absl::Time> ParseSince(absl::string_view text, absl::Time now,
                                      absl::TimeZone zone) {
  absl::string_view days = text;
  int count = 0;
  if (absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count) &&
      count >= 0 && count <= kMostDays) {
    return now - count * absl::Hours(24);
  }
  absl::Duration ago;
  if (absl::ParseDuration(text, &ago) && ago >= absl::ZeroDuration() &&
      ago <= kMostDays * absl::Hours(24)) {
    return now - ago;
  }
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
                             absl::RFC3339_full}) {
    absl::Time time;
    std::string error;
    if (absl::ParseTime(format, text, zone, &time, &error) &&
        time != absl::InfiniteFuture() && time != absl::InfinitePast()) {
      return time;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a time, such as 12h, 30d, 2026-11-30 or '2026-11-30 18:04', "
      "found ",
      Quoted(text)));
}

}  // namespace hydra
