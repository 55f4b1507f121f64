#include "worker/data/gpt2_pretokenizer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/types/span.h"

namespace hydra {
namespace {

enum class CharClass { kLetter, kNumber, kWhiteSpace, kOther };

struct CodePointRange {
  UChar32 first;
  UChar32 last;
};

// What Unicode 15.1 and 16 added to \p{L} and \p{N}. Asked only for code
// points that the ICU in use does not know, so that ids do not depend on its
// version: ICU 72 has Unicode 15.0.
constexpr CodePointRange kNewerLetters[] = {
    {0x1c89, 0x1c8a},   {0xa7cb, 0xa7cd},   {0xa7da, 0xa7dc},
    {0x105c0, 0x105f3}, {0x10d4a, 0x10d65}, {0x10d6f, 0x10d85},
    {0x10ec2, 0x10ec4}, {0x11380, 0x11389}, {0x1138b, 0x1138b},
    {0x1138e, 0x1138e}, {0x11390, 0x113b5}, {0x113b7, 0x113b7},
    {0x113d1, 0x113d1}, {0x113d3, 0x113d3}, {0x11bc0, 0x11be0},
    {0x13460, 0x143fa}, {0x16100, 0x1611d}, {0x16d40, 0x16d6c},
    {0x18cff, 0x18cff}, {0x1e5d0, 0x1e5ed}, {0x1e5f0, 0x1e5f0},
    {0x2ebf0, 0x2ee5d},
};
constexpr CodePointRange kNewerNumbers[] = {
    {0x10d40, 0x10d49}, {0x116d0, 0x116e3}, {0x11bf0, 0x11bf9},
    {0x16130, 0x16139}, {0x16d70, 0x16d79}, {0x1ccf0, 0x1ccf9},
    {0x1e5f1, 0x1e5fa},
};

bool Contains(absl::Span<const CodePointRange> ranges, UChar32 c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](CodePointRange range) {
    return range.first <= c && c <= range.last;
  });
}

CharClass ClassifyUnassigned(UChar32 c) {
  if (Contains(kNewerLetters, c)) return CharClass::kLetter;
  if (Contains(kNewerNumbers, c)) return CharClass::kNumber;
  return CharClass::kOther;
}

CharClass Classify(UChar32 c) {
  const uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return CharClass::kLetter;
  if (category & U_GC_N_MASK) return CharClass::kNumber;
  if (category & U_GC_CN_MASK) return ClassifyUnassigned(c);
  return u_isUWhiteSpace(c) ? CharClass::kWhiteSpace : CharClass::kOther;
}

// Reads the character at *i and moves *i behind it.
CharClass NextClass(absl::string_view text, size_t* i) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  UChar32 c;
  U8_NEXT_UNSAFE(bytes, *i, c);
  return Classify(c);
}

// The end of the characters of class `wanted` from `i` on. `*last` is where
// the last of them begins, unchanged if there is none.
size_t RunEnd(absl::string_view text, size_t i, CharClass wanted,
              size_t* last) {
  while (i < text.size()) {
    size_t next = i;
    if (NextClass(text, &next) != wanted) break;
    *last = i;
    i = next;
  }
  return i;
}

// The length of 's, 't, 're, 've, 'm, 'll or 'd at the front of `text`, or 0.
size_t ContractionLength(absl::string_view text) {
  for (absl::string_view contraction :
       {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (absl::StartsWith(text, contraction)) return contraction.size();
  }
  return 0;
}

}  // namespace

size_t Gpt2WordEnd(absl::string_view text, size_t begin) {
  if (text[begin] == '\'') {
    const size_t length = ContractionLength(text.substr(begin));
    if (length > 0) return begin + length;
  }

  size_t last = begin;
  size_t next = begin;
  const CharClass first = NextClass(text, &next);
  if (first != CharClass::kWhiteSpace) {
    return RunEnd(text, next, first, &last);
  }
  if (text[begin] == ' ' && next < text.size()) {
    size_t after = next;
    const CharClass second = NextClass(text, &after);
    if (second != CharClass::kWhiteSpace) {
      return RunEnd(text, after, second, &last);
    }
  }
  // \s+(?!\S) leaves the last of several to the word that follows.
  const size_t end = RunEnd(text, next, CharClass::kWhiteSpace, &last);
  return end == text.size() || last == begin ? end : last;
}

}  // namespace hydra
