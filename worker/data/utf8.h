#ifndef HYDRA_WORKER_DATA_UTF8_H_
#define HYDRA_WORKER_DATA_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// `text` itself if it is well-formed UTF-8. Otherwise a copy, kept in
// `*storage`, with U+FFFD in place of each maximal ill-formed part: what
// Python's bytes.decode("utf-8", errors="replace") reads.
absl::string_view RepairUtf8(absl::string_view text, std::string* storage);

// The last place in [from, text.size()) where text can be cut so that its two
// halves tokenize, each on its own, to the same ids as the whole: where a
// character that is not white space meets ASCII white space. Every word of
// GPT-2's pattern ends at such a place, and none looks beyond it.
// npos if there is none. `text` need not be well-formed.
size_t LastSafeCut(absl::string_view text, size_t from);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_UTF8_H_
