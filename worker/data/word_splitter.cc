#include "worker/data/word_splitter.h"

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"
#include "common/text/code_points.h"
#include "common/tokenizer/unicode_classes.h"
#include "worker/data/word_pattern.h"

namespace hydra {
namespace {

using Steps = absl::Span<const PreTokenizerStep>;
using Sink = absl::FunctionRef<void(absl::string_view)>;

void Run(Steps steps, absl::string_view text, TextPlace place, Sink word);

// Hands parts of one text to the steps that follow, without empty ones.
class Parts {
 public:
  Parts(Steps steps, absl::string_view text, TextPlace place, Sink word)
      : steps_(steps), text_(text), place_(place), word_(word) {}

  void Add(size_t begin, size_t end) {
    if (begin == end) return;
    Run(steps_, text_.substr(begin, end - begin),
        begin == 0 ? place_ : TextPlace::kInside, word_);
  }

 private:
  const Steps steps_;
  const absl::string_view text_;
  const TextPlace place_;
  const Sink word_;
};

void SplitByPattern(SplitPattern pattern, absl::string_view text,
                    Parts& parts) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = WordEnd(pattern, text, begin);
    parts.Add(begin, end);
    begin = end;
  }
}

void SplitDigits(absl::string_view text, bool in_runs, Parts& parts) {
  size_t begin = 0;
  bool was_digit = false;
  for (size_t at = 0; at < text.size();) {
    const size_t here = at;
    const bool is_digit = IsNumeric(NextCodePoint(text, &at));
    if (is_digit != was_digit || (is_digit && !in_runs)) {
      parts.Add(begin, here);
      begin = here;
    }
    was_digit = is_digit;
  }
  parts.Add(begin, text.size());
}

void SplitAtMarkers(absl::string_view text, char32_t marker, Parts& parts) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t here = at;
    if (NextCodePoint(text, &at) != marker) continue;
    parts.Add(begin, here);
    begin = here;
  }
  parts.Add(begin, text.size());
}

void SplitAsBert(absl::string_view text, Parts& parts) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t here = at;
    const char32_t c = NextCodePoint(text, &at);
    const bool is_white_space = IsWhiteSpace(c);
    if (!is_white_space && !IsBertPunctuation(c)) continue;
    parts.Add(begin, here);
    if (!is_white_space) parts.Add(here, at);
    begin = at;
  }
  parts.Add(begin, text.size());
}

std::string Utf8(char32_t c) {
  std::string text;
  AppendCodePoint(c, &text);
  return text;
}

// Goes on with `prefix` before `text`, unless it is there, or what is before
// `text` is not at hand.
void RunWithPrefix(Steps steps, absl::string_view prefix,
                   absl::string_view text, TextPlace place, Sink word) {
  if (place == TextPlace::kCut || absl::StartsWith(text, prefix)) {
    return Run(steps, text, place, word);
  }
  Run(steps, absl::StrCat(prefix, text), place, word);
}

void Run(Steps steps, absl::string_view text, TextPlace place, Sink word) {
  if (steps.empty()) return word(text);
  const PreTokenizerStep& step = steps.front();
  steps.remove_prefix(1);
  Parts parts(steps, text, place, word);
  switch (step.kind) {
    case PreTokenizerKind::kPrefixSpace:
      return RunWithPrefix(steps, " ", text, place, word);
    case PreTokenizerKind::kPattern:
      return SplitByPattern(step.pattern, text, parts);
    case PreTokenizerKind::kDigits:
      return SplitDigits(text, /*in_runs=*/false, parts);
    case PreTokenizerKind::kDigitRuns:
      return SplitDigits(text, /*in_runs=*/true, parts);
    case PreTokenizerKind::kMarkSpaces:
      return Run(steps, absl::StrReplaceAll(text, {{" ", Utf8(step.marker)}}),
                 place, word);
    case PreTokenizerKind::kPrefixFirstMarker:
      if (place != TextPlace::kStart) return Run(steps, text, place, word);
      return RunWithPrefix(steps, Utf8(step.marker), text, place, word);
    case PreTokenizerKind::kPrefixMarker:
      return RunWithPrefix(steps, Utf8(step.marker), text, place, word);
    case PreTokenizerKind::kSplitAtMarkers:
      return SplitAtMarkers(text, step.marker, parts);
    case PreTokenizerKind::kBert:
      return SplitAsBert(text, parts);
  }
}

}  // namespace

WordSplitter::WordSplitter(std::vector<PreTokenizerStep> steps)
    : steps_(std::move(steps)) {}

void WordSplitter::Split(absl::string_view text, TextPlace place,
                         Sink word) const {
  if (!text.empty()) Run(steps_, text, place, word);
}

}  // namespace hydra
