#ifndef HYDRA_COMMON_TEXT_PRINTABLE_H_
#define HYDRA_COMMON_TEXT_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

// Text that came from elsewhere (a file, a name, an error of a library), fit
// for messages, logs and terminals whoever chose it. What comes out is UTF-8.
// Pure functions.
namespace hydra {

// So much of a text is shown in a message.
inline constexpr size_t kMaxQuotedBytes = 120;

// Control characters, bytes that are no UTF-8 and marks that change the writing
// direction become \n, \t, \r, \xNN or \u{NNNN}. The rest stays as it is.
std::string Printable(absl::string_view text);

// The same, but lines stay lines.
std::string PrintableLines(absl::string_view text);

// Printable(), of a long text the beginning alone: at most kMaxQuotedBytes of
// `text`, whole characters, and "...".
std::string PrintableStart(absl::string_view text);

// The longest beginning of `text` within `max_bytes` that splits no character.
absl::string_view WholeCharacters(absl::string_view text, size_t max_bytes);

// PrintableStart() in single quotes: how a message shows a value or a name. A
// single quote and a backslash of the text have a backslash before them.
std::string Quoted(absl::string_view text);

}  // namespace hydra

#endif  // HYDRA_COMMON_TEXT_PRINTABLE_H_
