#ifndef HYDRA_WORKER_DATA_WINDOW_READER_H_
#define HYDRA_WORKER_DATA_WINDOW_READER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/data/token_file.h"

namespace hydra {

// Reads windows of a split into `rows`, row-major [windows.size(), T + 1] with
// T = context_length. The row of window w has the tokens [w * T, w * T + T]:
// its first T are inputs, its last T their targets. Thread-safe.
//
// INVALID_ARGUMENT: context_length < 1, or `rows` has another size.
// OUT_OF_RANGE: a window that `file` does not have.
// After either `rows` is untouched.
// DATA_LOSS: as TokenFile::Read.
absl::Status ReadWindows(const TokenFile& file, int64_t context_length,
                         absl::Span<const int64_t> windows,
                         absl::Span<int64_t> rows);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WINDOW_READER_H_
