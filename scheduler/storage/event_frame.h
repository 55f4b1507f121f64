#ifndef HYDRA_SCHEDULER_STORAGE_EVENT_FRAME_H_
#define HYDRA_SCHEDULER_STORAGE_EVENT_FRAME_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"

// Records of files as TensorFlow's RecordWriter makes them: the length in eight
// bytes, its sum, the data, their sum; all little-endian, sums as MaskedCrc32c.
// Pure, but for what reads a file.
namespace hydra {

// TensorFlow's: a sum of data that hold sums themselves is not to look alike.
uint32_t MaskedCrc32c(absl::string_view bytes);

// `data` as one record.
std::string EventFrame(absl::string_view data);

// Hands the data of a file's records to `visit`, in order, as far as they are
// whole: up to the file's end, or the first one that is cut short or does not
// match its sum. How many bytes that were. Longer data than a MiB are taken for
// damage.
absl::StatusOr<int64_t> ForEachEventFrame(
    const UniqueFd& file, absl::string_view path,
    absl::FunctionRef<void(absl::string_view data)> visit);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_EVENT_FRAME_H_
