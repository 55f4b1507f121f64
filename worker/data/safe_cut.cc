#include "worker/data/safe_cut.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

#include "absl/strings/ascii.h"

namespace hydra {
namespace {

bool EndsInWhiteSpace(absl::string_view text) {
  // ICU counts in int32_t here; no character is longer than its maximum.
  if (text.size() > U8_MAX_LENGTH) {
    text.remove_prefix(text.size() - U8_MAX_LENGTH);
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  int32_t i = text.size();
  UChar32 c;
  U8_PREV(bytes, 0, i, c);
  return c >= 0 && u_isUWhiteSpace(c);
}

}  // namespace

size_t LastSafeCut(absl::string_view text, size_t from) {
  for (size_t cut = text.size(); cut-- > from && cut > 0;) {
    if (absl::ascii_isspace(text[cut]) &&
        !EndsInWhiteSpace(text.substr(0, cut))) {
      return cut;
    }
  }
  return absl::string_view::npos;
}

}  // namespace hydra
