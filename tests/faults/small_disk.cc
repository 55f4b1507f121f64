#include "tests/faults/small_disk.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

constexpr char kFiller[] = "/filler";

}  // namespace

SmallDisk::SmallDisk(std::string directory)
    : directory_(std::move(directory)) {}

absl::StatusOr<std::unique_ptr<SmallDisk>> SmallDisk::Mount(
    const std::string& directory, int64_t size_bytes) {
  const std::string options = absl::StrCat("size=", size_bytes);
  if (mount("none", directory.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot mount a tmpfs: ", std::strerror(errno)));
  }
  return std::unique_ptr<SmallDisk>(new SmallDisk(directory));
}

// Whoever still has a file of it open keeps it from going at once.
SmallDisk::~SmallDisk() { umount2(directory_.c_str(), MNT_DETACH); }

void SmallDisk::Fill() {
  const int fd = open((directory_ + kFiller).c_str(),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  PCHECK(fd >= 0);
  const std::vector<char> page(4096);
  while (write(fd, page.data(), page.size()) > 0) {
  }
  PCHECK(errno == ENOSPC);
  close(fd);
}

void SmallDisk::MakeRoom() {
  PCHECK(unlink((directory_ + kFiller).c_str()) == 0);
}

}  // namespace hydra
