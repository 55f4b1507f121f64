#include "worker/data/safe_cut.h"

#include <string>
#include <tuple>

#include "absl/strings/ascii.h"
#include "common/text/code_points.h"
#include "common/text/utf8.h"
#include "common/tokenizer/unicode_classes.h"

namespace hydra {
namespace {

// Of what is before a cut, no more is looked at.
constexpr size_t kMaxLookedAtBytes = 64 << 10;

// The last character of well-formed or ill-formed text, which is not empty.
char32_t LastOf(absl::string_view text) {
  constexpr size_t kLongestCharacter = 4;
  if (text.size() > kLongestCharacter) {
    text.remove_prefix(text.size() - kLongestCharacter);
  }
  std::string repaired;
  return LastCodePoint(RepairUtf8(text, &repaired));
}

bool Splits(PreTokenizerKind kind) {
  return kind == PreTokenizerKind::kPattern ||
         kind == PreTokenizerKind::kDigits ||
         kind == PreTokenizerKind::kDigitRuns ||
         kind == PreTokenizerKind::kSplitAtMarkers ||
         kind == PreTokenizerKind::kBert;
}

bool Prefixes(PreTokenizerKind kind) {
  return kind == PreTokenizerKind::kPrefixSpace ||
         kind == PreTokenizerKind::kPrefixMarker ||
         kind == PreTokenizerKind::kPrefixFirstMarker;
}

}  // namespace

SafeCuts::SafeCuts(const Tokenizer& tokenizer)
    : normalizer_(tokenizer.normalizer) {
  if (tokenizer.model == TokenModel::kCharacterBpe) joints_.emplace(tokenizer);
  bool has_prefix = false;
  bool has_split = false;
  for (const NormalizerStep& step : tokenizer.normalizer) {
    has_prefix = has_prefix || step.kind == NormalizerKind::kPrepend;
  }
  for (const PreTokenizerStep& step : tokenizer.pre_tokenizer) {
    const PreTokenizerKind kind = step.kind;
    is_bert_ = is_bert_ || kind == PreTokenizerKind::kBert;
    has_word_ends_ =
        has_word_ends_ || is_bert_ || kind == PreTokenizerKind::kPattern;
    takes_line_ends_ =
        takes_line_ends_ || (kind == PreTokenizerKind::kPattern &&
                             step.pattern != SplitPattern::kGpt2);
    if (kind == PreTokenizerKind::kMarkSpaces) space_mark_ = step.marker;
    has_prefix = has_prefix || Prefixes(kind);
    needs_space_ = needs_space_ || (has_split && Prefixes(kind));
    has_split = has_split || Splits(kind);
  }
  // A word that is a token as a whole ends at a mark alone.
  needs_space_ =
      needs_space_ || (joints_.has_value() && tokenizer.ignore_merges);
  for (const AddedToken& token : tokenizer.added) {
    const std::string text =
        token.first ? token.text : normalizer_.Apply(token.text);
    char32_t before = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      const char32_t c = NextCodePoint(text, &at);
      if (begin > 0) neighbours_.emplace(before, c);
      before = c;
    }
    if (token.single_word) begins_.insert(FirstCodePoint(text));
    if (has_prefix || token.rstrip || token.single_word) ends_.insert(before);
  }
}

size_t SafeCuts::Last(absl::string_view text, size_t from) const {
  for (size_t cut = text.size(); cut-- > from && cut > 0;) {
    if (absl::ascii_isspace(text[cut]) && !absl::ascii_isspace(text[cut - 1]) &&
        IsSafe(text.substr(0, cut), text[cut])) {
      return cut;
    }
  }
  return absl::string_view::npos;
}

bool SafeCuts::IsSafe(absl::string_view before, char space) const {
  char32_t left = LastOf(before);
  char32_t right = space;
  if (IsWhiteSpace(left) || !IsSafeForTokens(left, right)) return false;
  if (!normalizer_.empty()) {
    const auto normal = Normalized(before, left, space);
    if (!normal.has_value()) return false;
    std::tie(left, right) = *normal;
    if (!IsSafeForTokens(left, right)) return false;
  }
  if (right == ' ') right = space_mark_;
  const bool is_space = right == ' ' || right == space_mark_;
  if (has_word_ends_ && !IsWhiteSpace(right)) return false;
  if (takes_line_ends_ && (right == '\n' || right == '\r')) return false;
  if (needs_space_ && !is_space) return false;
  return !joints_.has_value() || !joints_->MayJoin(left, right);
}

std::optional<std::pair<char32_t, char32_t>> SafeCuts::Normalized(
    absl::string_view before, char32_t left, char space) const {
  const auto normalize = [this](absl::string_view text) {
    return normalizer_.Apply(text, /*is_continued=*/true);
  };
  // It must neither vanish nor move over the white space.
  std::string alone;
  AppendCodePoint(left, &alone);
  alone = normalize(alone);
  const std::string right = normalize(absl::string_view(&space, 1));
  if (alone.empty() || right.empty()) return std::nullopt;
  const char32_t end = LastCodePoint(alone);
  if (!IsStable(end) && !(is_bert_ && IsWhiteSpace(end))) return std::nullopt;
  // What is before may be composed with it.
  size_t begin = before.size();
  while (begin > 0 && !absl::ascii_isspace(before[begin - 1])) --begin;
  if (before.size() - begin > kMaxLookedAtBytes) return std::nullopt;
  std::string repaired;
  const std::string word =
      normalize(RepairUtf8(before.substr(begin), &repaired));
  if (word.empty()) return std::nullopt;
  return std::pair(LastCodePoint(word), FirstCodePoint(right));
}

bool SafeCuts::IsSafeForTokens(char32_t left, char32_t right) const {
  return !neighbours_.contains({left, right}) && !ends_.contains(left) &&
         !begins_.contains(right);
}

}  // namespace hydra
