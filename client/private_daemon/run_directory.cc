#include "client/private_daemon/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "hydra-run-";

// `how` is LOCK_NB to not wait. -1 when it is no directory of ours, or when
// another process holds the lock.
int OpenAndLock(const std::string& path, int how) {
  const int fd =
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat info = {};
  if (fstat(fd, &info) != 0 || info.st_uid != geteuid() ||
      flock(fd, LOCK_EX | how) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void RemoveAll(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

// A directory that another process has just made and not locked yet must not
// look left behind. It is empty still, and ours are never left empty for long.
bool IsEmpty(const std::string& path) {
  std::error_code ignored;
  return fs::is_empty(path, ignored);
}

void RemoveLeftBehind(const std::string& parent) {
  std::error_code error;
  for (fs::directory_iterator it(parent, error), end; !error && it != end;
       it.increment(error)) {
    const std::string path = it->path().string();
    if (!absl::StartsWith(it->path().filename().string(), kPrefix)) continue;
    const int fd = OpenAndLock(path, LOCK_NB);
    if (fd < 0) continue;
    if (!IsEmpty(path)) RemoveAll(path);
    close(fd);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Create(
    const std::string& parent) {
  RemoveLeftBehind(parent);
  std::string path = absl::StrCat(parent, "/", kPrefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot make a directory below ", parent));
  }
  // Another run may look at it just now, for a moment.
  const int lock_fd = OpenAndLock(path, /*how=*/0);
  if (lock_fd < 0) {
    const int error = errno;
    RemoveAll(path);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot lock ", path));
  }
  return std::unique_ptr<RunDirectory>(
      new RunDirectory(std::move(path), lock_fd));
}

RunDirectory::RunDirectory(std::string path, int lock_fd)
    : path_(std::move(path)), lock_fd_(lock_fd) {}

RunDirectory::~RunDirectory() {
  RemoveAll(path_);
  close(lock_fd_);
}

}  // namespace hydra
