#include "scheduler/service/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hydra {

absl::StatusOr<StateDirectory> StateDirectory::Open(const std::string& path) {
  for (const char* folder : {"outputs", "tokens", "partitions", "logs"}) {
    const std::string made = absl::StrCat(path, "/", folder);
    std::error_code error;
    std::filesystem::create_directories(made, error);
    if (error || access(made.c_str(), W_OK) != 0) {
      return absl::PermissionDeniedError(
          absl::StrCat("cannot make and write ", made, ": ",
                       error ? error.message() : std::strerror(errno)));
    }
  }
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

uint64_t StateDirectory::NextJob() const {
  uint64_t next = 1;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(outputs(), error);
       !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    uint64_t number = 0;
    if (name[0] == 'j' &&
        absl::SimpleAtoi(name.substr(1, name.find('-') - 1), &number)) {
      next = std::max(next, number + 1);
    }
  }
  return next;
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_fd_(std::exchange(other.lock_fd_, -1)) {}

StateDirectory::~StateDirectory() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

}  // namespace hydra
