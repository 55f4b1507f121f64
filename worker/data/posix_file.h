#ifndef HYDRA_WORKER_DATA_POSIX_FILE_H_
#define HYDRA_WORKER_DATA_POSIX_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/file/file.h"

namespace hydra {

// An open file, closed when destroyed. Remembers its path so that every error
// can name it. Errors carry the code that absl::ErrnoToStatus gives the cause.
// Not thread-safe.
class PosixFile {
 public:
  // `flags` and `mode` are open(2)'s; O_CLOEXEC is added.
  static absl::StatusOr<PosixFile> Open(const std::string& path, int flags,
                                        mode_t mode = 0600);

  // Owns `fd`, which is open.
  PosixFile(UniqueFd fd, std::string path);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

  absl::StatusOr<int64_t> SizeBytes() const;

  // Reads until `buffer` is full or the file ends; returns the bytes read.
  absl::StatusOr<int64_t> Read(absl::Span<char> buffer);

  // Writes all of `bytes` where the last read or write ended.
  absl::Status Write(absl::string_view bytes);

  // Writes all of `bytes` at `offset_bytes` from the file's start.
  absl::Status WriteAt(absl::string_view bytes, int64_t offset_bytes);

  // Makes the file end at `size_bytes`, and the next Write go there.
  absl::Status Truncate(int64_t size_bytes);

  // Takes the disk space of the file's first `size_bytes`, where the file
  // system can, and changes nothing else: then later writes there have room.
  // RESOURCE_EXHAUSTED: the disk has less, which the message says.
  absl::Status Reserve(int64_t size_bytes);

  // Returns once content and size are on the medium.
  absl::Status Sync();

 private:
  UniqueFd fd_;
  std::string path_;
};

// The status of `errno`, as "<action> <path>: <cause>".
absl::Status ErrnoStatus(absl::string_view action, absl::string_view path);

absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_POSIX_FILE_H_
