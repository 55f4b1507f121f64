#ifndef HYDRA_COMMON_CHECKPOINT_CHECKPOINT_DIRECTORY_H_
#define HYDRA_COMMON_CHECKPOINT_CHECKPOINT_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file_user.h"

namespace hydra {

// How checkpoints are named in a job's folder of them, and how they go, as the
// user whose they are. Nothing
// here looks into their files, nor follows a link in a path: that is
// FAILED_PRECONDITION, as HeldDirectory::Open() has it.

// "checkpoint-STEP", or "checkpoint-STEP-inside" for one that was made after
// STEP complete steps inside of the next one.
struct CheckpointName {
  int64_t step = 0;
  bool inside_step = false;
};

std::string CheckpointDirectoryName(const CheckpointName& name);

// Of a directory's last part; nothing if it is no such name.
std::optional<CheckpointName> ParseCheckpointDirectoryName(
    absl::string_view directory);

struct CheckpointEntry {
  std::string path;
  CheckpointName name;
};

// The checkpoints in `folder`, those that trained less first. What is being
// written or removed is not among them; a missing folder has none.
absl::StatusOr<std::vector<CheckpointEntry>> ListCheckpoints(
    const std::string& folder, const FileUser& user = FileUser());

// From its beginning on, the directory is no checkpoint any more; after a crash
// or an error the rest of it is a leftover.
//
// INVALID_ARGUMENT: not a checkpoint's name; nothing is removed.
// NOT_FOUND: there is none.
absl::Status RemoveCheckpoint(const std::string& path,
                              const FileUser& user = FileUser());

// Removes what killed processes left in `folder`. Nobody may be writing or
// removing a checkpoint there. A missing folder has no leftovers.
absl::Status RemoveLeftovers(const std::string& folder,
                             const FileUser& user = FileUser());

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_CHECKPOINT_DIRECTORY_H_
