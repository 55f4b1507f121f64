#ifndef HYDRA_COMMON_FILE_FILE_H_
#define HYDRA_COMMON_FILE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file_access.h"
#include "common/file/file_user.h"
#include "common/file/unique_fd.h"

namespace hydra {

// The status of a system call that failed with `error`, an errno.
//
// RESOURCE_EXHAUSTED: the disk, quota or file size limit has no room.
// UNAVAILABLE: the disk or its server failed (EIO, ESTALE), or hydra-files is
//   not there (ENOTCONN, see FileUser). Trying again can work once somebody has
//   seen to it.
// PERMISSION_DENIED: the user as whom it was tried is none (ESRCH), too.
// Others: as absl::ErrnoToStatus() has them.
//
// Functions that read a file say DATA_LOSS instead of UNAVAILABLE: what cannot
// be read is lost. Where hydra-files is not there, nothing is.
absl::Status FileError(int error, absl::string_view what);

// Whether FileError() says so of hydra-files: nothing is known of the file.
bool IsWithoutFileBroker(const absl::Status& status);

// "a/b" is "b" in "a", "b" is "b" in ".", "a/" is "" in "a".
struct SplitPath {
  explicit SplitPath(const std::string& path);

  std::string folder;
  std::string name;
};

// For openat() and the like relative to it.
absl::StatusOr<UniqueFd> OpenDirectory(const std::string& path,
                                       const FileUser& user = FileUser());

// When this returns, the names in the directory are on the disk.
absl::Status SyncDirectory(const std::string& path);
absl::Status SyncDirectory(const UniqueFd& directory, absl::string_view path);

// Where an open file or directory really lies, all symbolic links resolved.
absl::StatusOr<std::string> RealPath(const UniqueFd& fd);

// The same of the directories below which a user's files may lie. None given
// means all: "/". Those that cannot be found are left out, so they allow
// nothing.
std::vector<std::string> RealRoots(const std::vector<std::string>& roots);

// What `user` may read below `roots`, as RealRoots() takes them.
FileAccess AccessBelow(const std::vector<std::string>& roots,
                       FileUser user = FileUser());

// Opens a regular file for reading. FIFOs, devices and directories are refused
// with INVALID_ARGUMENT, without waiting for anybody.
absl::StatusOr<UniqueFd> OpenRegularFile(const std::string& path);

// The same for `name` in `directory`, which is known as `directory_path`. What
// it resolves to must lie where `access` says, else PERMISSION_DENIED. Judged
// is the file that is then read: changing links meanwhile gains nothing.
absl::StatusOr<UniqueFd> OpenRegularFileBelow(const UniqueFd& directory,
                                              absl::string_view directory_path,
                                              const std::string& name,
                                              const FileAccess& access);

// The same for `name` in `directory`, and for nothing else: a link is refused
// like what is no regular file.
absl::StatusOr<UniqueFd> OpenRegularFileIn(const UniqueFd& directory,
                                           absl::string_view directory_path,
                                           const std::string& name,
                                           const FileUser& user = FileUser());

absl::StatusOr<int64_t> FileBytes(const UniqueFd& fd, absl::string_view path);

// Reads [offset, offset + bytes) into `to`. DATA_LOSS also when the file ends
// before; `to` then holds what there was.
absl::Status ReadExactly(const UniqueFd& fd, absl::string_view path,
                         int64_t offset, int64_t bytes, void* to);

// Writes [offset, offset + bytes). After a failure any part may be written.
absl::Status WriteExactly(const UniqueFd& fd, absl::string_view path,
                          int64_t offset, int64_t bytes, const void* from);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_FILE_H_
