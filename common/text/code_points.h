#ifndef HYDRA_COMMON_TEXT_CODE_POINTS_H_
#define HYDRA_COMMON_TEXT_CODE_POINTS_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

// Text as code points. Pure; all require well-formed UTF-8 (see RepairUtf8).
namespace hydra {

// The code point that begins at `*at`, which moves behind it.
// Requires *at < text.size().
char32_t NextCodePoint(absl::string_view text, size_t* at);

// Of a text that is not empty.
char32_t FirstCodePoint(absl::string_view text);
char32_t LastCodePoint(absl::string_view text);

// Requires a code point that is no surrogate.
void AppendCodePoint(char32_t code_point, std::string* text);

}  // namespace hydra

#endif  // HYDRA_COMMON_TEXT_CODE_POINTS_H_
