#ifndef HYDRA_WORKER_DATA_SAFE_CUT_H_
#define HYDRA_WORKER_DATA_SAFE_CUT_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hydra {

// The last place in [from, text.size()) where text can be cut so that its two
// halves tokenize, each on its own, to the same ids as the whole: where a
// character that is not white space meets ASCII white space. Every word of
// GPT-2's pattern ends at such a place, and none looks beyond it.
// npos if there is none. `text` need not be well-formed.
size_t LastSafeCut(absl::string_view text, size_t from);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_SAFE_CUT_H_
