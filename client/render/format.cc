#include "client/render/format.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The last word of an enum value's name, in lower case.
std::string ShortName(const std::string& full, absl::string_view prefix) {
  if (full.size() <= prefix.size()) return "unknown";
  return absl::AsciiStrToLower(full.substr(prefix.size()));
}

}  // namespace

int DisplayWidth(absl::string_view text) {
  int width = 0;
  for (const char c : text) width += IsContinuation(c) ? 0 : 1;
  return width;
}

std::string TruncateToWidth(absl::string_view text, int width) {
  if (width <= 0 || DisplayWidth(text) <= width) return std::string(text);
  size_t end = 0;
  for (int columns = 0; end < text.size(); ++end) {
    if (IsContinuation(text[end])) continue;
    if (++columns == width) break;
  }
  return absl::StrCat(text.substr(0, end), "…");
}

std::string BytesText(int64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB",
                                                        "TiB", "PiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = bytes / 1024.0;
  size_t unit = 0;
  // 1023.95 would be written as 1024.0.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) {
    return "-";
  }
  if (duration < absl::Milliseconds(9950)) {
    return absl::StrFormat("%.1fs", absl::ToDoubleSeconds(duration));
  }
  const int64_t seconds =
      absl::ToInt64Seconds(duration + absl::Milliseconds(500));
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (minutes == 0) return absl::StrCat(seconds, "s");
  if (hours == 0) return absl::StrFormat("%dm%02ds", minutes, seconds % 60);
  if (hours < 48) return absl::StrFormat("%dh%02dm", hours, minutes % 60);
  return absl::StrFormat("%dd%02dh", hours / 24, hours % 24);
}

std::string TimeText(const google::protobuf::Timestamp& time,
                     absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(time), zone);
}

std::string ForecastText(const google::protobuf::Timestamp& time,
                         absl::Time now, absl::TimeZone zone) {
  const absl::Time then = FromProto(time);
  const absl::CivilDay day = absl::ToCivilDay(then, zone);
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  const std::string clock = absl::FormatTime("%H:%M", then, zone);
  if (day == today) return absl::StrCat("~", clock);
  return absl::StrCat(
      "~", absl::FormatTime("%b", then, zone), " ", day.day(), " ",
      day.year() == today.year() ? "" : absl::StrCat(day.year(), " "), clock);
}

std::string LossText(double loss) {
  if (loss != 0 && std::abs(loss) < 0.001) return absl::StrFormat("%.2e", loss);
  return absl::StrFormat("%.4f", loss);
}

std::string AccuracyText(double accuracy) {
  return absl::StrFormat("%.4f", accuracy);
}

std::string PerplexityText(double perplexity) {
  if (perplexity >= 1e6) return absl::StrFormat("%.2e", perplexity);
  return absl::StrFormat("%.2f", perplexity);
}

std::string StateName(v1::JobState state) {
  return ShortName(v1::JobState_Name(state), "JOB_STATE_");
}

std::string PhaseName(v1::JobPhase phase) {
  return ShortName(v1::JobPhase_Name(phase), "JOB_PHASE_");
}

std::string StateName(v1::WorkerState state) {
  return ShortName(v1::WorkerState_Name(state), "WORKER_STATE_");
}

bool HasEnded(const v1::JobStatus& job) {
  return job.state() == v1::JOB_STATE_COMPLETED ||
         job.state() == v1::JOB_STATE_FAILED ||
         job.state() == v1::JOB_STATE_CANCELLED;
}

}  // namespace hydra
