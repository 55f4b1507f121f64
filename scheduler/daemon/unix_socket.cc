#include "scheduler/daemon/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr mode_t kFolderMode = 0755;

// After a restart of the machine /run is empty.
absl::Status MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), kFolderMode) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(
      errno, absl::StrCat("unix_socket: cannot make the folder ", folder,
                          "; make it, or choose another path"));
}

bool Answers(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answers = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                               sizeof(address)) == 0;
  close(fd);
  return answers;
}

}  // namespace

absl::Status ClaimSocketPath(const std::string& path) {
  sockaddr_un address = {};
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "unix_socket: ", path, " has ", path.size(), " bytes; at most ",
        sizeof(address.sun_path) - 1, " are possible"));
  }
  const absl::Status folder =
      MakeFolder(std::filesystem::path(path).parent_path());
  if (!folder.ok()) return folder;
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists and is not a socket"));
  }
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (Answers(address)) {
    return absl::FailedPreconditionError(
        absl::StrCat("a live server listens on ", path));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

}  // namespace hydra
