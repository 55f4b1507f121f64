#ifndef HYDRA_WORKER_DATA_UNFINISHED_FILES_H_
#define HYDRA_WORKER_DATA_UNFINISHED_FILES_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/data/posix_file.h"
#include "worker/task/task_control.h"

// How processes share the making of a token file: whoever has a lock on the
// unfinished one makes it. Thread-safe.
namespace hydra {

// The names of a token file that is being made, and of the record that tells
// how far that got (see PrepareProgress).
std::string UnfinishedPath(const std::string& token_file);
std::string ProgressPath(const std::string& token_file);

// Opens or creates the unfinished file for reading and writing, and waits until
// no other process has it open so. Whoever has it may rename or remove it. The
// other may need hours, so `control` is told of the waiting, and may end it.
//
// ABORTED: `control` says so. Others: from the file system.
absl::StatusOr<PosixFile> OpenUnfinished(const std::string& token_file,
                                         TaskControl& control);

// Gives `path` its content, unless another process has just done so. `is_made`
// says whether it is there, and is asked once nobody else makes it; `make`
// writes it, from its start and up to the medium, to the file that it is given.
// What an interrupted call has written is begun anew; after an error nothing is
// left. Returns whether `make` was asked.
absl::StatusOr<bool> MakeWholeFile(
    const std::string& path, TaskControl& control,
    absl::FunctionRef<bool()> is_made,
    absl::FunctionRef<absl::Status(PosixFile&)> make);

// How long an interrupted preparation waits for somebody to go on with it.
inline constexpr absl::Duration kKeepUnfinished = absl::Hours(24);

// Removes what interrupted preparations left in `cache_dir` if nobody has
// worked at it since `before`, and nobody does now: its job was cancelled, or
// never came back. What cannot be removed stays.
void RemoveAbandoned(const std::string& cache_dir, absl::Time before);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_UNFINISHED_FILES_H_
