#ifndef HYDRA_COMMON_CHAIN_TESTING_TINY_SHAPE_H_
#define HYDRA_COMMON_CHAIN_TESTING_TINY_SHAPE_H_

#include <cstdint>
#include <vector>

#include "common/chain/job_shape.h"

namespace hydra {

// Of a GPT-2 with two heads whose head uses the token table.
struct TinySizes {
  int64_t vocabulary = 97;
  int64_t width = 8;
  int64_t blocks = 3;
  int64_t context = 16;
};

// A job that trains it with an optimizer of two moments, in one micro-batch of
// two sequences as long as the model allows, cut before the layers `cuts`.
JobShape TinyShape(const TinySizes& sizes, const std::vector<int>& cuts);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_TESTING_TINY_SHAPE_H_
