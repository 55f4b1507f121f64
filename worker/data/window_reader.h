#ifndef HYDRA_WORKER_DATA_WINDOW_READER_H_
#define HYDRA_WORKER_DATA_WINDOW_READER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/data/token_file.h"

namespace hydra {

// Windows of a split of context length T, row-major.
struct TokenWindows {
  // [windows, T + 1]: the first T of a row are inputs, its last T their
  // targets, but for rows that are taken whole. Behind the end of a row that is
  // a sequence of its own stands kPadding.
  std::vector<int64_t> tokens;
  // [windows, T]: the targets, with kNoTarget (batch_plan.h) for what is not
  // trained on, padding included. Empty: all are. Of whole rows with classes
  // [windows]: these; of others the inputs themselves, but for those that are
  // not to be hidden (token_masking.h).
  std::vector<int64_t> targets;
  // Of whole rows, [windows]: how many tokens each has, and [windows, T]: which
  // of its texts each is of, from 0; empty: all are of the first.
  std::vector<int64_t> lengths;
  std::vector<int64_t> token_types;
  int64_t untrained_targets = 0;  // How many.
};

// An id of every model. No token of a row sees it.
inline constexpr int64_t kPadding = 0;

// Windows that the split has: its rows, if they are sequences, else as
// WindowCount. Requires context_length > 0.
int64_t WindowsIn(const TokenFile& file, int64_t context_length);

// Tokens in each sequence of a batch of these windows: where rows are
// sequences, as PaddedContext of the longest, of whose tokens the last one is
// no input unless it is taken whole; else `context_length`.
//
// OUT_OF_RANGE, DATA_LOSS: as ReadWindows.
absl::StatusOr<int64_t> ContextOf(const TokenFile& file, int64_t context_length,
                                  absl::Span<const int64_t> windows);

// Reads windows of a split: window w has the tokens [w * T, w * T + T], or row
// w, if rows are sequences of their own. Thread-safe.
//
// INVALID_ARGUMENT: context_length < 1.
// OUT_OF_RANGE: a window that `file` does not have.
// DATA_LOSS: a row has more than T + 1 tokens, or one that is taken whole none
//   or more than T, or as TokenFile::Read.
absl::StatusOr<TokenWindows> ReadWindows(const TokenFile& file,
                                         int64_t context_length,
                                         absl::Span<const int64_t> windows);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WINDOW_READER_H_
