#include "common/text/utf8.h"

#include <unicode/utf8.h>

#include <cstddef>
#include <cstdint>

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

}  // namespace hydra
