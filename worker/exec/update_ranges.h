#ifndef HYDRA_WORKER_EXEC_UPDATE_RANGES_H_
#define HYDRA_WORKER_EXEC_UPDATE_RANGES_H_

#include <cstdint>
#include <vector>

#include "common/model/model_table.h"

namespace hydra {

// A range of a parameter block that is updated at once: the elements [first,
// first + count).
struct BlockRange {
  int64_t first = 0;
  int64_t count = 0;
  // Of a block whose rows are gathered: the rows in it.
  int64_t first_row = 0;
  int64_t last_row = 0;
};

// The ranges in which a block is updated, in order, of about
// kUpdateRangeElements each; the first one is the longest, and the last one
// includes the block's padding. They begin at multiples of 64 bytes, and those
// of a block whose rows are gathered at rows. Pure.
std::vector<BlockRange> UpdateRangesOf(const ParameterBlock& block);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_UPDATE_RANGES_H_
