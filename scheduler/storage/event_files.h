#ifndef HYDRA_SCHEDULER_STORAGE_EVENT_FILES_H_
#define HYDRA_SCHEDULER_STORAGE_EVENT_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/held_directory.h"
#include "scheduler/storage/metrics_line.h"
#include "scheduler/storage/metrics_rows.h"

// TensorBoard's event files in a job's folder: a curve for each number that a
// row has. They are only ever appended to: a job that goes on after a restart
// of the daemon, or from a checkpoint, writes a further file, which begins by
// saying from which step on the earlier ones count no more. So TensorBoard
// shows one curve. Not thread-safe, blocks on the disk. Errors: as
// HeldDirectory has them.
namespace hydra {

// The first place of which these files have no row, as far as they are whole. 0
// where there are none.
absl::StatusOr<int64_t> FirstPlaceWithoutEvents(const HeldDirectory& folder);

// A file that is being written.
struct EventFile {
  std::string name;
  int64_t bytes = 0;
};

// Makes a further file, for rows from `first_step` on. Its name, which says
// when, comes behind those of the files that are there, as TensorBoard reads
// them.
absl::StatusOr<EventFile> BeginEventFile(const HeldDirectory& folder,
                                         const std::string& host,
                                         int64_t first_step, absl::Time now);

// `last_time`: of the newest step before the rows; an evaluation has no time of
// its own. It becomes that of the newest step.
//
// ABORTED: the file is not as it was left; begin a further one. NOT_FOUND: it
// is
//   not there any more.
// After every error the file ends as before, unless that fails, too.
absl::Status AppendEvents(const HeldDirectory& folder,
                          const std::vector<MetricsRow>& rows,
                          const MetricsContext& context, absl::Time& last_time,
                          EventFile& file);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_EVENT_FILES_H_
