#ifndef HYDRA_COMMON_JOBFILE_ODD_CHARACTERS_H_
#define HYDRA_COMMON_JOBFILE_ODD_CHARACTERS_H_

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"

// Characters that look like an ASCII one, or like nothing, and come in by
// copying from web pages, chats and word processors. Pure.
namespace hydra {

struct OddCharacter {
  absl::string_view bytes;
  // "a no-break space (U+00A0)"
  absl::string_view name;
};

// The blank or invisible character other than a space with which `text` begins.
std::optional<OddCharacter> LeadingOddBlank(absl::string_view text);

// The first such character anywhere in `text`; `position` is that of its first
// byte.
std::optional<OddCharacter> FindOddBlank(absl::string_view text,
                                         size_t* position);

// The typographic quote with which `text` begins.
std::optional<OddCharacter> LeadingOddQuote(absl::string_view text);

// How many characters UTF-8 text has.
int CountCharacters(absl::string_view text);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_ODD_CHARACTERS_H_
