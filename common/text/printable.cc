#include "common/text/printable.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

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

// `plain`: control characters that stay. `marked`: others that get a backslash.
std::string Escape(absl::string_view text, absl::string_view plain,
                   absl::string_view marked) {
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
    const absl::string_view character = text.substr(0, point.bytes);
    if (IsControl(point.value) && !absl::StrContains(plain, character)) {
      escaped += EscapeOne(point.value);
    } else {
      absl::StrAppend(&escaped,
                      absl::StrContains(marked, character) ? "\\" : "",
                      character);
    }
    text.remove_prefix(point.bytes);
  }
  return escaped;
}

std::string EscapeStart(absl::string_view text, absl::string_view marked) {
  const absl::string_view start = WholeCharacters(text, kMaxQuotedBytes);
  return absl::StrCat(Escape(start, "", marked),
                      start.size() < text.size() ? "..." : "");
}

}  // namespace

std::string Printable(absl::string_view text) { return Escape(text, "", ""); }

std::string PrintableLines(absl::string_view text) {
  return Escape(text, "\n", "");
}

absl::string_view WholeCharacters(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && IsContinuation(text[end])) --end;
  // Text that is all continuations is no UTF-8, and has no characters.
  return text.substr(0, end == 0 ? max_bytes : end);
}

std::string PrintableStart(absl::string_view text) {
  return EscapeStart(text, "");
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", EscapeStart(text, "'\\"), "'");
}

}  // namespace hydra
