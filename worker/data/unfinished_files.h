#ifndef HYDRA_WORKER_DATA_UNFINISHED_FILES_H_
#define HYDRA_WORKER_DATA_UNFINISHED_FILES_H_

#include <string>

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

// Removes what interrupted preparations left in `cache_dir` if nobody has
// worked at it since `before`, and nobody does now: its job was cancelled, or
// never came back. What cannot be removed stays.
void RemoveAbandoned(const std::string& cache_dir, absl::Time before);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_UNFINISHED_FILES_H_
