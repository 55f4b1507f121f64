#ifndef HYDRA_COMMON_CHECKPOINT_STAGED_DIRECTORY_H_
#define HYDRA_COMMON_CHECKPOINT_STAGED_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file_user.h"
#include "common/file/held_directory.h"

namespace hydra {

// A directory that appears at its path only when it is whole: it is filled as
// "PATH.tmp-PID" and then put into place. A kill leaves that one behind, see
// RemoveLeftoversOf().
//
// It and the folder above it are held while this lives, and no link is followed
// in the path: others who rename folders meanwhile do not make this write or
// remove anything elsewhere.
//
// Not thread-safe; one for a path at a time. Blocks on the disk. Errors: as
// HeldDirectory has them.
class StagedDirectory {
 public:
  // Makes an empty directory beside `final_path`, and the folders above it. All
  // of it is done as `user`.
  //
  // FAILED_PRECONDITION: a part of the path is a link, or no directory.
  static absl::StatusOr<StagedDirectory> Create(
      const std::string& final_path, const FileUser& user = FileUser());

  StagedDirectory(StagedDirectory&& other) noexcept;
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  // Removes what was not put into place, or was replaced: that very directory,
  // whatever its name leads to by now.
  ~StagedDirectory();

  // Where to write until it is put into place.
  const HeldDirectory& directory() const { return directory_; }

  // Puts it into place, instead of a directory that may be there. Its files
  // must be on the disk already. When this returns, so is the directory.
  //
  // UNAVAILABLE: the path leads elsewhere by now.
  // After every error, what was there before is still there. But if only
  // syncing the folder failed, the new directory is, and the older one is left
  // beside it: nobody can tell which of them the disk knows by the name.
  //
  // Replacing is atomic where the file system can exchange two names (ext4,
  // xfs, btrfs, tmpfs). Elsewhere a crash between two renames leaves no
  // directory at the path, until RemoveLeftoversOf() brings back the older one.
  absl::Status Commit();

  // Moves its files into the directory at the path, which may be there with
  // other content: that stays, but for files of the same names. Whoever finds
  // `last`, a file's name, finds all of them, also after a crash. The files
  // must be on the disk already; when this returns, so are their names.
  //
  // UNAVAILABLE: the path leads elsewhere by now.
  // FAILED_PRECONDITION: what is at the path is a link, or no directory.
  // After every error, any of the files but `last` may be in place, and that
  // one too if only the last syncing failed.
  absl::Status CommitFiles(const std::string& last);

 private:
  StagedDirectory(HeldDirectory folder, std::string final_name,
                  std::string name, HeldDirectory directory);

  absl::Status MoveIntoPlace();
  absl::Status Replace();

  const HeldDirectory folder_;
  // In folder_.
  const std::string final_name_;
  // Of removable_. Empty if moved from, or if nothing is to be removed.
  std::string name_;
  const HeldDirectory directory_;
  // directory_, or the one that it replaced.
  HeldDirectory removable_;
};

// Stands behind the path in the names of what is staged, replaced or removed.
inline constexpr char kLeftoverInfix[] = ".tmp-";

// The purpose of RemovableName() where a whole directory is to go.
inline constexpr char kRemovedPurpose[] = "removed";

// "NAME.tmp-PID-PURPOSE": a name that says that its directory may be removed.
std::string RemovableName(const std::string& name, const std::string& purpose);

// Removes what killed processes left of `final_name` in `folder`, which has the
// names that are given here and no others. Nobody may be staging or removing
// that one. Goes on after an error, and returns the first. If the kill came
// while a directory was replaced and there is none of that name, the older one
// is put back.
absl::Status RemoveLeftoversOf(const HeldDirectory& folder,
                               const std::string& final_name);

// The same beside `final_path`; OK if its folder is missing.
absl::Status RemoveLeftoversOf(const std::string& final_path,
                               const FileUser& user = FileUser());

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_STAGED_DIRECTORY_H_
