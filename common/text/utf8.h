#ifndef HYDRA_COMMON_TEXT_UTF8_H_
#define HYDRA_COMMON_TEXT_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// `text` itself if it is well-formed UTF-8. Otherwise a copy, kept in
// `*storage`, with U+FFFD in place of each maximal ill-formed part: what
// Python's bytes.decode("utf-8", errors="replace") reads.
absl::string_view RepairUtf8(absl::string_view text, std::string* storage);

}  // namespace hydra

#endif  // HYDRA_COMMON_TEXT_UTF8_H_
