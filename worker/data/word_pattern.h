#ifndef HYDRA_WORKER_DATA_WORD_PATTERN_H_
#define HYDRA_WORKER_DATA_WORD_PATTERN_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// Where the word that begins at `begin` ends, by one of
//   kGpt2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+
//            |\s+(?!\S)|\s+
//   kLlama3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
//            | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//   kQwen2   kLlama3 with \p{N} in place of \p{N}{1,3}
// with the character classes of ClassifyForPatterns. The words of a text cover
// it without a gap, and no word depends on what is before it.
// Requires well-formed UTF-8, and `begin` < text.size() at a word's beginning.
size_t WordEnd(SplitPattern pattern, absl::string_view text, size_t begin);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WORD_PATTERN_H_
