#include "worker/data/utf8.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

#include "absl/strings/ascii.h"

namespace hydra {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

// The start of the first ill-formed part at or after `from`, and its end; both
// are text.size() if there is none.
struct IllFormed {
  size_t begin;
  size_t end;
};

IllFormed FindIllFormed(absl::string_view text, size_t from) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t next = from;
  while (next < text.size()) {
    const size_t begin = next;
    UChar32 c;
    U8_NEXT(bytes, next, text.size(), c);
    if (c < 0) return {begin, next};
  }
  return {text.size(), text.size()};
}

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

absl::string_view RepairUtf8(absl::string_view text, std::string* storage) {
  IllFormed bad = FindIllFormed(text, 0);
  if (bad.begin == text.size()) return text;
  storage->clear();
  size_t done = 0;
  while (bad.begin < text.size()) {
    storage->append(text.data() + done, bad.begin - done);
    storage->append(kReplacement.data(), kReplacement.size());
    done = bad.end;
    bad = FindIllFormed(text, done);
  }
  storage->append(text.data() + done, text.size() - done);
  return *storage;
}

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
