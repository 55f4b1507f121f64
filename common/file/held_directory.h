#ifndef HYDRA_COMMON_FILE_HELD_DIRECTORY_H_
#define HYDRA_COMMON_FILE_HELD_DIRECTORY_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"
#include "common/file/file_user.h"

namespace hydra {

// A directory that is held open: what is done in it is done in that one,
// whatever its path leads to meanwhile. Where others may rename folders, hydrad
// writes and removes by this alone.
//
// What is made in it has the mode that it says: its owner may do all, and group
// and others may read, list and pass what they may read, list and pass here;
// they never write. In a set-group-id directory it has the directory's group.
//
// All of it is done as one user, who is the owner of what is made. Copies hold
// the same directory. Thread-compatible; blocks on the disk. A
// `name` is that of an entry, without a slash, and a link by that name is never
// followed. Errors: as FileError() has them, with the path.
class HeldDirectory {
 public:
  // Follows no link on the way, also not in the middle of `path`.
  //
  // NOT_FOUND: there is none.
  // FAILED_PRECONDITION: a part of the path is a link, or no directory; it is
  //   named.
  static absl::StatusOr<HeldDirectory> Open(const std::string& path,
                                            const FileUser& user = FileUser());

  // The same; makes what is missing, and that survives a power cut.
  static absl::StatusOr<HeldDirectory> Make(const std::string& path,
                                            const FileUser& user = FileUser());

  // Follows links: for a path of whoever runs this program.
  static absl::StatusOr<HeldDirectory> OpenFollowingLinks(
      const std::string& path);

  // For messages: where it was when it was opened.
  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;
  const UniqueFd& fd() const { return *fd_; }
  // As whom all of it is done.
  const FileUser& user() const { return user_; }

  // Errors: as Open().
  absl::StatusOr<HeldDirectory> OpenFolder(const std::string& name) const;
  // ALREADY_EXISTS: something has that name.
  absl::StatusOr<HeldDirectory> MakeFolder(const std::string& name) const;
  // Errors: as Make().
  absl::StatusOr<HeldDirectory> OpenOrMakeFolder(const std::string& name) const;

  // For writing. ALREADY_EXISTS: something has that name.
  absl::StatusOr<UniqueFd> CreateFile(const std::string& name) const;
  // With `mode`, less what the umask takes, instead of what the directory says.
  absl::StatusOr<UniqueFd> CreateFile(const std::string& name,
                                      mode_t mode) const;

  // A file for reading, and for writing at its end alone. Waits for nobody.
  //
  // NOT_FOUND: there is none.
  // FAILED_PRECONDITION: it is a link, no regular file, or has further names:
  //   it may be another's.
  absl::StatusOr<UniqueFd> OpenToAppend(const std::string& name) const;

  // Whether anything has that name, a link too.
  bool Has(const std::string& name) const;
  // Whether a regular file has it.
  bool HasFile(const std::string& name) const;
  // Of all entries, sorted.
  absl::StatusOr<std::vector<std::string>> Names() const;

  // `to` is a name in `directory`; a file there is replaced, and so is an empty
  // directory by a directory.
  //
  // ALREADY_EXISTS: a directory is there and not empty.
  absl::Status Rename(const std::string& name, const HeldDirectory& directory,
                      const std::string& to) const;

  // Each gets the other's name, at once.
  //
  // UNIMPLEMENTED: the file system cannot do that.
  absl::Status Exchange(const std::string& name,
                        const std::string& other) const;

  // A file, or a directory with all that is in it. OK if there is none.
  //
  // FAILED_PRECONDITION: more than 100 directories are in one another.
  absl::Status Remove(const std::string& name) const;

  // All that is in this one, whatever its name is by now. Errors: as Remove().
  absl::Status RemoveContents() const;

  // An empty directory, and nothing else.
  //
  // ALREADY_EXISTS, FAILED_PRECONDITION: something is in it, or it is no
  //   directory.
  absl::Status RemoveEmptyFolder(const std::string& name) const;

  // When this returns, its names are on the disk.
  absl::Status Sync() const;

  // UNAVAILABLE: by now its path leads to another directory, or to none. What
  //   was done in it is not where others look; trying again can work.
  // Others: as Open().
  absl::Status CheckStillThere() const;

 private:
  HeldDirectory(FileUser user, std::string path, UniqueFd fd);

  static absl::StatusOr<HeldDirectory> Walk(const std::string& path,
                                            const FileUser& user, bool make);

  FileUser user_;
  std::string path_;
  std::shared_ptr<const UniqueFd> fd_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_HELD_DIRECTORY_H_
