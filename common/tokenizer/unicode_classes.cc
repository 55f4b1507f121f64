#include "common/tokenizer/unicode_classes.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <cstdint>

#include "absl/types/span.h"

namespace hydra {
namespace {

struct CodePointRange {
  char32_t first;
  char32_t last;
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
// And Unicode 17.
constexpr CodePointRange kNewestNumbers[] = {
    {0x11de0, 0x11de9},
    {0x16ff4, 0x16ff6},
};

// Upper case letters of Unicode 16 and 17, and how far behind the first one's
// its lower case is.
struct NewerCase {
  CodePointRange upper;
  char32_t first_lower;
};
constexpr NewerCase kNewerCases[] = {
    {{0x1c89, 0x1c89}, 0x1c8a},    {{0xa7cb, 0xa7cb}, 0x264},
    {{0xa7cc, 0xa7cc}, 0xa7cd},    {{0xa7ce, 0xa7ce}, 0xa7cf},
    {{0xa7d2, 0xa7d2}, 0xa7d3},    {{0xa7d4, 0xa7d4}, 0xa7d5},
    {{0xa7da, 0xa7da}, 0xa7db},    {{0xa7dc, 0xa7dc}, 0x19b},
    {{0x10d50, 0x10d65}, 0x10d70}, {{0x16ea0, 0x16eb8}, 0x16ebb},
};

bool IsIn(CodePointRange range, char32_t c) {
  return range.first <= c && c <= range.last;
}

bool Contains(absl::Span<const CodePointRange> ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](CodePointRange range) { return IsIn(range, c); });
}

CharClass ClassifyUnassigned(char32_t c) {
  if (Contains(kNewerLetters, c)) return CharClass::kLetter;
  if (Contains(kNewerNumbers, c)) return CharClass::kNumber;
  return CharClass::kOther;
}

bool IsUnassigned(char32_t c) { return U_GET_GC_MASK(c) & U_GC_CN_MASK; }

// Whether Unicode had `c` in this version.
bool IsAsOldAs(char32_t c, int version) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] > 0 && (age[0] < version || (age[0] == version && age[1] == 0));
}

}  // namespace

CharClass ClassifyForPatterns(char32_t c) {
  const uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return CharClass::kLetter;
  if (category & U_GC_N_MASK) return CharClass::kNumber;
  if (category & U_GC_CN_MASK) return ClassifyUnassigned(c);
  return IsWhiteSpace(c) ? CharClass::kWhiteSpace : CharClass::kOther;
}

bool IsWhiteSpace(char32_t c) {
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}

bool IsWordCharacter(char32_t c) {
  if (u_hasBinaryProperty(c, UCHAR_ALPHABETIC) ||
      u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL)) {
    return true;
  }
  if (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) {
    return true;
  }
  return IsUnassigned(c) && ClassifyUnassigned(c) != CharClass::kOther;
}

bool IsNumeric(char32_t c) {
  if (U_GET_GC_MASK(c) & U_GC_N_MASK) return true;
  return IsUnassigned(c) &&
         (Contains(kNewerNumbers, c) || Contains(kNewestNumbers, c));
}

bool IsBertControl(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_CF_MASK) return IsAsOldAs(c, 8);
  return category & (U_GC_CC_MASK | U_GC_CO_MASK);
}

bool IsBertAccent(char32_t c) {
  // Their categories are others today, or were left out.
  if (c == 0x1734) return true;
  if (c == 0x1885 || c == 0x1886 || c == 0xa9bd || c == 0x111c9) return false;
  return (U_GET_GC_MASK(c) & U_GC_MN_MASK) && IsAsOldAs(c, 8);
}

bool IsBertPunctuation(char32_t c) {
  if (c < 0x80) {
    return U_GET_GC_MASK(c) & (U_GC_P_MASK | U_GC_S_MASK);
  }
  if (c == 0x166d || c == 0x111c9) return true;
  return (U_GET_GC_MASK(c) & U_GC_P_MASK) && IsAsOldAs(c, 8);
}

bool IsBertChinese(char32_t c) {
  static constexpr CodePointRange kChinese[] = {
      {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},
      {0x20000, 0x2a6df}, {0x2a700, 0x2b81f}, {0x2b920, 0x2ceaf},
      {0x2f800, 0x2fa1f},
  };
  return Contains(kChinese, c);
}

bool IsCombiningMark(char32_t c) {
  if (c == 0x1cf2 || c == 0x1cf3) return true;
  if (c == 0x111c9) return false;
  return (U_GET_GC_MASK(c) & U_GC_M_MASK) && IsAsOldAs(c, 9);
}

char32_t ToLowerCase(char32_t c) {
  if (!IsUnassigned(c)) return u_tolower(static_cast<UChar32>(c));
  for (const NewerCase& newer : kNewerCases) {
    if (IsIn(newer.upper, c))
      return newer.first_lower + (c - newer.upper.first);
  }
  return c;
}

bool IsStable(char32_t c) {
  return c != 0xfffd && (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK |
                                             U_GC_P_MASK | U_GC_S_MASK));
}

}  // namespace hydra
