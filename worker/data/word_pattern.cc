#include "worker/data/word_pattern.h"

#include "absl/strings/match.h"
#include "common/text/code_points.h"
#include "common/tokenizer/unicode_classes.h"

namespace hydra {
namespace {

// Reads the character at *i and moves *i behind it.
CharClass NextClass(absl::string_view text, size_t* i) {
  return ClassifyForPatterns(NextCodePoint(text, i));
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

// The end of the white space from `begin` on; \s+(?!\S) leaves the last of
// several characters to the word that follows.
size_t WhiteSpaceEnd(absl::string_view text, size_t begin) {
  size_t last = begin;
  const size_t end = RunEnd(text, begin, CharClass::kWhiteSpace, &last);
  return end == text.size() || last == begin ? end : last;
}

// The length of 's, 't, 're, 've, 'm, 'll or 'd at the front of `text`, or 0.
size_t ContractionLength(absl::string_view text) {
  for (absl::string_view contraction :
       {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (absl::StartsWith(text, contraction)) return contraction.size();
  }
  return 0;
}

// In any case; the long s is one too.
size_t AnyCaseContractionLength(absl::string_view text) {
  constexpr absl::string_view kLongS = "'\u017f";
  if (absl::StartsWith(text, kLongS)) return kLongS.size();
  for (absl::string_view contraction :
       {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (absl::StartsWithIgnoreCase(text, contraction)) {
      return contraction.size();
    }
  }
  return 0;
}

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
  return WhiteSpaceEnd(text, begin);
}

bool IsLineEnd(char c) { return c == '\r' || c == '\n'; }

// The end of [^\s\p{L}\p{N}]+[\r\n]* whose characters go on at `i`.
size_t SymbolsEnd(absl::string_view text, size_t i) {
  size_t last = i;
  size_t end = RunEnd(text, i, CharClass::kOther, &last);
  while (end < text.size() && IsLineEnd(text[end])) ++end;
  return end;
}

// Up to the last line end of the white space at `begin`, or as GPT-2 has it.
size_t LineOrWhiteSpaceEnd(absl::string_view text, size_t begin) {
  size_t last = begin;
  size_t end = RunEnd(text, begin, CharClass::kWhiteSpace, &last);
  while (end > begin && !IsLineEnd(text[end - 1])) --end;
  return end > begin ? end : WhiteSpaceEnd(text, begin);
}

size_t NumberEnd(absl::string_view text, size_t begin, int max_digits) {
  size_t end = begin;
  for (int i = 0; i < max_digits && end < text.size(); ++i) {
    size_t next = end;
    if (NextClass(text, &next) != CharClass::kNumber) break;
    end = next;
  }
  return end;
}

size_t Llama3WordEnd(absl::string_view text, size_t begin, int max_digits) {
  if (text[begin] == '\'') {
    const size_t length = AnyCaseContractionLength(text.substr(begin));
    if (length > 0) return begin + length;
  }

  size_t last = begin;
  size_t next = begin;
  const CharClass first = NextClass(text, &next);
  if (first == CharClass::kLetter) return RunEnd(text, next, first, &last);
  if (first == CharClass::kNumber) return NumberEnd(text, begin, max_digits);
  CharClass second = CharClass::kWhiteSpace;
  size_t after = next;
  if (next < text.size()) second = NextClass(text, &after);
  if (second == CharClass::kLetter && !IsLineEnd(text[begin])) {
    return RunEnd(text, after, second, &last);
  }
  if (first == CharClass::kOther) return SymbolsEnd(text, next);
  if (text[begin] == ' ' && second == CharClass::kOther) {
    return SymbolsEnd(text, after);
  }
  return LineOrWhiteSpaceEnd(text, begin);
}

}  // namespace

size_t WordEnd(SplitPattern pattern, absl::string_view text, size_t begin) {
  switch (pattern) {
    case SplitPattern::kGpt2:
      return Gpt2WordEnd(text, begin);
    case SplitPattern::kLlama3:
      return Llama3WordEnd(text, begin, /*max_digits=*/3);
    case SplitPattern::kQwen2:
      return Llama3WordEnd(text, begin, /*max_digits=*/1);
  }
  return text.size();
}

}  // namespace hydra
