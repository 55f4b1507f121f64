#include "scheduler/daemon/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {

namespace {

constexpr mode_t kOwnerAlone = 0700;
constexpr mode_t kOthersPass = 0711;

// Makes the folder, or takes the rights that are not in `mode` from others.
absl::Status MakeFolder(const std::string& path, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || access(path.c_str(), W_OK) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot make and write ", path, ": ",
                     error ? error.message() : std::strerror(errno)));
  }
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 0777 & ~mode) == 0) {
    return absl::OkStatus();
  }
  if (chmod(path.c_str(), mode) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("cannot keep other users out of ", path, ": ",
                   std::strerror(errno), "; make it hydrad's own"));
}

}  // namespace

absl::StatusOr<StateDirectory> StateDirectory::Open(const std::string& path,
                                                    bool others_pass) {
  absl::Status made = MakeFolder(path, others_pass ? kOthersPass : kOwnerAlone);
  for (const char* folder :
       {"outputs", "tokens", "partitions", "logs", "logs/jobs", "run"}) {
    if (made.ok()) {
      made = MakeFolder(absl::StrCat(path, "/", folder), kOwnerAlone);
    }
  }
  if (!made.ok()) return made;
  const std::string lock = absl::StrCat(path, "/lock");
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot open ", lock, ": ", std::strerror(errno)));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return absl::FailedPreconditionError(
        absl::StrCat("state directory ", path, " is owned by a live daemon"));
  }
  return StateDirectory(path, fd);
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_fd_(std::exchange(other.lock_fd_, -1)) {}

StateDirectory::~StateDirectory() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

}  // namespace hydra
