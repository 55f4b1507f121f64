#include "common/text/code_points.h"

#include <unicode/utf8.h>

#include <cstdint>

namespace hydra {

char32_t NextCodePoint(absl::string_view text, size_t* at) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  UChar32 c;
  U8_NEXT_UNSAFE(bytes, *at, c);
  return c;
}

char32_t FirstCodePoint(absl::string_view text) {
  size_t at = 0;
  return NextCodePoint(text, &at);
}

char32_t LastCodePoint(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t at = text.size();
  UChar32 c;
  U8_PREV_UNSAFE(bytes, at, c);
  return c;
}

void AppendCodePoint(char32_t code_point, std::string* text) {
  uint8_t bytes[U8_MAX_LENGTH];
  size_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, code_point);
  text->append(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace hydra
