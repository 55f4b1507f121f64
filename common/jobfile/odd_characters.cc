#include "common/jobfile/odd_characters.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/types/span.h"

namespace hydra {
namespace {

constexpr OddCharacter kBlanks[] = {
    {"\t", "a tab"},
    {"\u00a0", "a no-break space (U+00A0)"},
    {"\u00ad", "a soft hyphen (U+00AD)"},
    {"\u2003", "an em space (U+2003)"},
    {"\u2007", "a figure space (U+2007)"},
    {"\u2009", "a thin space (U+2009)"},
    {"\u200b", "a zero-width space (U+200B)"},
    {"\u200c", "a zero-width non-joiner (U+200C)"},
    {"\u200d", "a zero-width joiner (U+200D)"},
    {"\u200e", "a left-to-right mark (U+200E)"},
    {"\u200f", "a right-to-left mark (U+200F)"},
    {"\u202f", "a narrow no-break space (U+202F)"},
    {"\u2060", "a word joiner (U+2060)"},
    {"\u3000", "an ideographic space (U+3000)"},
    {"\ufeff", "a byte order mark (U+FEFF)"},
};

constexpr OddCharacter kQuotes[] = {
    {"\u00ab", "the quote U+00AB"}, {"\u00bb", "the quote U+00BB"},
    {"\u2018", "the quote U+2018"}, {"\u2019", "the quote U+2019"},
    {"\u201a", "the quote U+201A"}, {"\u201c", "the quote U+201C"},
    {"\u201d", "the quote U+201D"}, {"\u201e", "the quote U+201E"},
};

std::optional<OddCharacter> Leading(absl::string_view text,
                                    absl::Span<const OddCharacter> characters) {
  for (const OddCharacter& odd : characters) {
    if (absl::StartsWith(text, odd.bytes)) return odd;
  }
  return std::nullopt;
}

}  // namespace

std::optional<OddCharacter> LeadingOddBlank(absl::string_view text) {
  return Leading(text, kBlanks);
}

std::optional<OddCharacter> FindOddBlank(absl::string_view text,
                                         size_t* position) {
  for (size_t i = 0; i < text.size(); ++i) {
    // Letters are most of any text.
    if (static_cast<unsigned char>(text[i]) < 0x80 && text[i] != '\t') continue;
    const auto odd = LeadingOddBlank(text.substr(i));
    if (!odd.has_value()) continue;
    *position = i;
    return odd;
  }
  return std::nullopt;
}

std::optional<OddCharacter> LeadingOddQuote(absl::string_view text) {
  return Leading(text, kQuotes);
}

int CountCharacters(absl::string_view text) {
  return static_cast<int>(std::count_if(
      text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace hydra
