#ifndef HYDRA_COMMON_MODEL_LAYER_MEMORY_H_
#define HYDRA_COMMON_MODEL_LAYER_MEMORY_H_

#include <cstdint>
#include <vector>

#include "common/model/model_table.h"

namespace hydra {

// For those who say what a layer takes: see LayerMemory. Pure.

// A tensor with so many numbers for each token.
BoundaryTensor PerToken(int64_t width);

// One with so many for each row of the layer's outputs: each token, or more.
BoundaryTensor RowsLikeOutputs(const LayerEntry& layer, int64_t width);

// One with so many for each pair of tokens of one sequence, of which there is
// one at a time: an attention's scores.
BoundaryTensor PerPair(int64_t heads);

// Whether it is a moment of LayerMemory at which an attention has its scores:
// then no product with parameters is made.
bool HasScores(const std::vector<BoundaryTensor>& moment);

// Of an attention over heads of so many numbers, which of the keys and values
// there may be fewer; all scores of a sequence are there at once.
struct AttentionMemory {
  // Numbers of a token's queries, and of its keys, or values.
  int64_t query_width = 0;
  int64_t key_width = 0;
  int64_t heads = 0;

  // Queries, keys, values, what they come to, and the scores.
  std::vector<BoundaryTensor> Forward() const;
  // The same, the gradients of what they come to and of scores, and those of
  // queries, keys and values of one sequence.
  std::vector<BoundaryTensor> Backward() const;
};

// A head with a norm, whose table has a row for each token of the vocabulary:
// it makes the logits of a slice of tokens at once (table_ranges.h).
LayerMemory HeadMemory(int64_t width, int64_t vocabulary);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LAYER_MEMORY_H_
