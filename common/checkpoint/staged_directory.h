#ifndef HYDRA_COMMON_CHECKPOINT_STAGED_DIRECTORY_H_
#define HYDRA_COMMON_CHECKPOINT_STAGED_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hydra {

// A directory that appears at its path only when it is whole: it is filled as
// "PATH.tmp-PID" and then renamed. A kill leaves that one behind.
//
// Not thread-safe; one for a path at a time. Blocks on the disk.
class StagedDirectory {
 public:
  // Makes an empty directory beside `final_path`, and the folders above it.
  // Errors: as the system says.
  static absl::StatusOr<StagedDirectory> Create(const std::string& final_path);

  StagedDirectory(StagedDirectory&& other) noexcept;
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  // Removes what Commit() did not put into place, or has replaced.
  ~StagedDirectory();

  // Where to write until Commit().
  const std::string& path() const { return path_; }

  // Puts it into place, instead of a directory that may be there. Its files
  // must be on the disk already. When this returns, so is the directory.
  //
  // After an error, what was there before is still there; but if only syncing
  // the folder failed, the new directory is.
  //
  // Replacing is atomic where the file system can exchange two names (ext4,
  // xfs, btrfs, tmpfs). Elsewhere a crash between two renames leaves no
  // directory at the path.
  absl::Status Commit();

 private:
  explicit StagedDirectory(std::string final_path);

  absl::Status MoveIntoPlace() const;
  absl::Status Replace() const;

  std::string final_path_;
  std::string path_;  // empty in an object that was moved from
};

// "PATH.tmp-PID-PURPOSE": a name that says that its directory may be removed.
std::string RemovablePath(const std::string& path, const std::string& purpose);

absl::Status SyncDirectory(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_STAGED_DIRECTORY_H_
