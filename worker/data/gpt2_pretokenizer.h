#ifndef HYDRA_WORKER_DATA_GPT2_PRETOKENIZER_H_
#define HYDRA_WORKER_DATA_GPT2_PRETOKENIZER_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hydra {

// Where the word that begins at `begin` ends, by GPT-2's pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// with the character classes of Unicode 16, as Hugging Face's tokenizers has
// them. The words of a text cover it without a gap.
// Requires well-formed UTF-8, and `begin` < text.size() at a word's beginning.
size_t Gpt2WordEnd(absl::string_view text, size_t begin);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_GPT2_PRETOKENIZER_H_
