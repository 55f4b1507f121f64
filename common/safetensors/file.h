#ifndef HYDRA_COMMON_SAFETENSORS_FILE_H_
#define HYDRA_COMMON_SAFETENSORS_FILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra::safetensors {

// Owns a file descriptor, or none (-1).
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// The status of a system call that failed with `error`, an errno. A full disk,
// quota or file size limit is RESOURCE_EXHAUSTED.
absl::Status FileError(int error, absl::string_view what);

// For openat() and the like relative to it.
absl::StatusOr<UniqueFd> OpenDirectory(const std::string& path);

// Where an open file or directory really lies, all symbolic links resolved.
absl::StatusOr<std::string> RealPath(const UniqueFd& fd);

// Opens a regular file for reading. FIFOs, devices and directories are refused
// with INVALID_ARGUMENT, without waiting for anybody.
absl::StatusOr<UniqueFd> OpenRegularFile(const std::string& path);

// The same for `name` in `directory`, which is known as `directory_path`. What
// it resolves to must lie below one of `real_roots`, paths as RealPath() gives
// them, else PERMISSION_DENIED. Judged is the file that is then read: changing
// links meanwhile gains nothing.
absl::StatusOr<UniqueFd> OpenRegularFileBelow(
    const UniqueFd& directory, absl::string_view directory_path,
    const std::string& name, const std::vector<std::string>& real_roots);

absl::StatusOr<int64_t> FileBytes(const UniqueFd& fd, absl::string_view path);

// Reads [offset, offset + bytes) into `to`. DATA_LOSS when the file ends
// before; `to` then holds what there was.
absl::Status ReadExactly(const UniqueFd& fd, absl::string_view path,
                         int64_t offset, int64_t bytes, void* to);

// Writes [offset, offset + bytes). After a failure any part may be written.
absl::Status WriteExactly(const UniqueFd& fd, absl::string_view path,
                          int64_t offset, int64_t bytes, const void* from);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_FILE_H_
