#ifndef HYDRA_WORKER_DATA_TOKEN_MASKING_H_
#define HYDRA_WORKER_DATA_TOKEN_MASKING_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydra {

// Which tokens a model has to guess, and what it sees in place of them: as
// transformers' DataCollatorForLanguageModeling has it, of those that may be
// hidden each is a target with `probability`; of the targets 80% become the
// mask, 10% any token of the vocabulary, and the rest stay as they are.
struct TokenMasking {
  double probability = 0.15;
  int64_t mask_id = 0;
  int64_t vocabulary_size = 0;
  // What is drawn for a token is a hash of these, its row and its place in that
  // row, and of nothing else: the same in whatever batch, on whatever worker
  // and however often the row is read.
  uint64_t seed = 0;
  int64_t epoch = 0;
};

// Of rows that were read as TokenWindows have whole ones. `rows` are their
// numbers, `context` the places of each. `tokens` is [rows, context + 1],
// `targets` [rows, context]: in it, kNoTarget takes the place of tokens that
// need not be guessed. Returns how often that stands there then. Pure.
int64_t MaskTokens(const TokenMasking& masking, absl::Span<const int64_t> rows,
                   int64_t context, absl::Span<int64_t> tokens,
                   absl::Span<int64_t> targets);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_MASKING_H_
