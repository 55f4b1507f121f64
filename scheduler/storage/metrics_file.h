#ifndef HYDRA_SCHEDULER_STORAGE_METRICS_FILE_H_
#define HYDRA_SCHEDULER_STORAGE_METRICS_FILE_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/held_directory.h"
#include "scheduler/storage/metrics_rows.h"

// metrics.jsonl in a job's folder: a line for each row, in their order, and
// nothing that jobs.db does not have. Not thread-safe, blocks on the disk.
// Errors: as HeldDirectory has them.
namespace hydra {

inline constexpr char kMetricsFile[] = "metrics.jsonl";

// Where the file ends, and the first place of which it has no row.
struct MetricsFileEnd {
  int64_t bytes = 0;
  int64_t next = 0;
};

// The row at a place, if jobs.db has it.
using RowAt =
    absl::FunctionRef<absl::StatusOr<std::optional<MetricsRow>>(int64_t place)>;

// Cuts off all that `row_at` does not have so: the rest of a line that a crash
// broke off, and what was measured before the job went back to a checkpoint.
// Lines stand in order, so that it looks at some twenty of a million. Nothing
// where there is no file.
//
// Others: as `row_at`; then the file is as it was.
absl::StatusOr<MetricsFileEnd> CutMetricsFile(const HeldDirectory& folder,
                                              RowAt row_at);

// Appends whole lines, of rows before place `next`. Makes the file if `end` is
// its beginning.
//
// ABORTED: the file is not as long as `end` says, so somebody else changed it;
//   cut it first. NOT_FOUND: it is not there any more.
// After every error any part of the lines may be there.
absl::Status AppendToMetricsFile(const HeldDirectory& folder,
                                 absl::string_view lines, int64_t next,
                                 MetricsFileEnd& end);

// When this returns OK, what was appended is on the disk.
absl::Status SyncMetricsFile(const HeldDirectory& folder);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_METRICS_FILE_H_
