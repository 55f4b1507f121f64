#include "worker/data/utf8_census.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "unicode/utf8.h"

namespace hydra {
namespace {

// How many of the last bytes are the begin of a character that is longer.
size_t UnfinishedBytes(absl::string_view text) {
  const size_t most = std::min<size_t>(U8_MAX_LENGTH - 1, text.size());
  for (size_t back = 1; back <= most; ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if (U8_IS_TRAIL(byte)) continue;
    const bool unfinished =
        U8_IS_LEAD(byte) && U8_COUNT_TRAIL_BYTES(byte) >= back;
    return unfinished ? back : 0;
  }
  return 0;
}

// The length of the run of ASCII characters other than NUL at the begin: eight
// at a time, since most text is nothing else.
size_t PlainBytes(absl::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  size_t plain = 0;
  while (plain + sizeof(uint64_t) <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + plain, sizeof(word));
    // A byte's high bit is set in `word` if it is not ASCII, and in the
    // difference if it is NUL or stands behind one.
    if (((word | (word - kOnes)) & kHighs) != 0) break;
    plain += sizeof(word);
  }
  return plain;
}

}  // namespace

void Utf8Census::Add(absl::string_view piece) {
  if (!begun_.empty()) {
    // No character is longer than U8_MAX_LENGTH, so few bytes are copied.
    const size_t taken =
        std::min<size_t>(piece.size(), U8_MAX_LENGTH - begun_.size());
    begun_.append(piece.data(), taken);
    piece.remove_prefix(taken);
    const std::string text = std::exchange(begun_, {});
    const size_t unfinished = UnfinishedBytes(text);
    Count(absl::string_view(text).substr(0, text.size() - unfinished));
    begun_ = text.substr(text.size() - unfinished);
    if (!begun_.empty() && !piece.empty()) return Add(piece);
  }
  const size_t unfinished = UnfinishedBytes(piece);
  Count(piece.substr(0, piece.size() - unfinished));
  if (unfinished > 0) {
    begun_.assign(piece.data() + piece.size() - unfinished, unfinished);
  }
}

Utf8Faults Utf8Census::Finish() {
  Count(begun_);
  return faults_;
}

void Utf8Census::Count(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t next = 0;
  while (next < text.size()) {
    next += PlainBytes(text.substr(next));
    if (next == text.size()) break;
    const size_t begin = next;
    UChar32 c;
    U8_NEXT(bytes, next, text.size(), c);
    if (c > 0) continue;
    const int64_t place = done_ + static_cast<int64_t>(begin);
    if (c == 0) {
      if (faults_.nul_bytes++ == 0) faults_.first_nul = place;
      continue;
    }
    if (faults_.bad_bytes == 0) faults_.first_bad = place;
    faults_.bad_bytes += static_cast<int64_t>(next - begin);
  }
  done_ += static_cast<int64_t>(text.size());
}

}  // namespace hydra
