#ifndef HYDRA_COMMON_DATA_PADDED_CONTEXT_H_
#define HYDRA_COMMON_DATA_PADDED_CONTEXT_H_

#include <algorithm>
#include <cstdint>

namespace hydra {

// Tokens in each sequence of a batch whose rows are sequences of their own: the
// inputs of its longest row, of `row_tokens`, the last of which is no input,
// and padding up to a multiple of kPaddingMultiple, for whom matrix products
// are faster; `context_length`, the most that any row has, is not passed. Of a
// batch's rows alone, so that it is the same wherever and however the batch is
// computed.
inline constexpr int64_t kPaddingMultiple = 8;
inline int64_t PaddedContext(int64_t row_tokens, int64_t context_length) {
  const int64_t inputs = std::max<int64_t>(1, row_tokens - 1);
  return std::min(context_length, (inputs + kPaddingMultiple - 1) /
                                      kPaddingMultiple * kPaddingMultiple);
}

// The fewest tokens of a sequence that is taken whole: two texts of one token
// each, with the tokenizer's own about them.
inline constexpr int64_t kLeastSequence = 5;

}  // namespace hydra

#endif  // HYDRA_COMMON_DATA_PADDED_CONTEXT_H_
