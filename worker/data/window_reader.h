#ifndef HYDRA_WORKER_DATA_WINDOW_READER_H_
#define HYDRA_WORKER_DATA_WINDOW_READER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace hydra {

// Copies windows of a split into `rows`, row-major [windows.size(), T + 1] with
// T = context_length. The row of window w has the tokens [w * T, w * T + T]:
// its first T are inputs, its last T their targets. Pure.
//
// INVALID_ARGUMENT: context_length < 1, or `rows` has another size.
// OUT_OF_RANGE: a window that `tokens` does not have.
// After either `rows` is untouched.
absl::Status ReadWindows(absl::Span<const uint32_t> tokens,
                         int64_t context_length,
                         absl::Span<const int64_t> windows,
                         absl::Span<int64_t> rows);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WINDOW_READER_H_
