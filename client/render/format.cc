#include "client/render/format.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

struct CodePoint {
  char32_t value = 0;
  // 0: the bytes are no UTF-8.
  size_t bytes = 0;
};

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

CodePoint FirstCodePoint(absl::string_view text) {
  static constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800,
                                                        0x10000};
  const unsigned char lead = text[0];
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xF8   ? 0
                       : lead >= 0xF0 ? 4
                       : lead >= 0xE0 ? 3
                       : lead >= 0xC0 ? 2
                                      : 0;
  if (bytes == 0 || text.size() < bytes) return {};
  char32_t value = lead & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if (!IsContinuation(text[i])) return {};
    value = value << 6 | (text[i] & 0x3F);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[bytes] || value > 0x10FFFF || surrogate) return {};
  return {value, bytes};
}

bool IsControl(char32_t c) {
  const bool c0_or_c1 = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool line_end = c == 0x2028 || c == 0x2029;
  const bool direction = c == 0x200E || c == 0x200F || c == 0x061C ||
                         (c >= 0x202A && c <= 0x202E) ||
                         (c >= 0x2066 && c <= 0x2069);
  return c0_or_c1 || line_end || direction;
}

std::string EscapeOne(char32_t c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return c < 0x80 ? absl::StrFormat("\\x%02x", static_cast<uint32_t>(c))
                      : absl::StrFormat("\\u{%04x}", static_cast<uint32_t>(c));
  }
}

std::string Escape(absl::string_view text, bool keep_lines) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = FirstCodePoint(text);
    if (point.bytes == 0) {
      absl::StrAppendFormat(&escaped, "\\x%02x",
                            static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (IsControl(point.value) && !(keep_lines && point.value == '\n')) {
      escaped += EscapeOne(point.value);
    } else {
      absl::StrAppend(&escaped, text.substr(0, point.bytes));
    }
    text.remove_prefix(point.bytes);
  }
  return escaped;
}

// The last word of an enum value's name, in lower case.
std::string ShortName(const std::string& full, absl::string_view prefix) {
  if (full.size() <= prefix.size()) return "unknown";
  return absl::AsciiStrToLower(full.substr(prefix.size()));
}

}  // namespace

std::string EscapeControl(absl::string_view text) {
  return Escape(text, /*keep_lines=*/false);
}

std::string EscapeControlKeepLines(absl::string_view text) {
  return Escape(text, /*keep_lines=*/true);
}

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

std::string LossText(double loss) {
  if (loss != 0 && std::abs(loss) < 0.001) return absl::StrFormat("%.2e", loss);
  return absl::StrFormat("%.4f", loss);
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
