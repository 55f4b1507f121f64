#ifndef HYDRA_COMMON_DATA_SPLIT_WINDOWS_H_
#define HYDRA_COMMON_DATA_SPLIT_WINDOWS_H_

#include <cstdint>

#include "common/data/batch_plan.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Windows of a split whose sequences have `context_length` tokens: where rows
// are sequences, window w is row w; else as WindowCount.
inline int64_t WindowsOf(const hydra::worker::v1::PreparedSplit& split,
                         int64_t context_length) {
  return split.row_count() > 0
             ? split.row_count()
             : WindowCount(split.token_count(), context_length);
}

}  // namespace hydra

#endif  // HYDRA_COMMON_DATA_SPLIT_WINDOWS_H_
