#include "client/private_daemon/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/file/held_directory.h"

namespace hydra {
namespace {

// As a shell would make it.
constexpr mode_t kFolderMode = 0777;

absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make ", path));
}

}  // namespace

absl::StatusOr<std::string> MakeRunFolder(const std::string& parent,
                                          absl::string_view name) {
  if (absl::Status made = MakeFolders(parent); !made.ok()) return made;
  for (int number = 1;; ++number) {
    const std::string path = absl::StrCat(
        parent, "/", name, number == 1 ? "" : absl::StrCat("-", number));
    if (mkdir(path.c_str(), kFolderMode) == 0) return path;
    if (errno != EEXIST) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
    }
  }
}

absl::Status RemoveRunFolder(const std::string& folder) {
  const SplitPath path(folder);
  const absl::StatusOr<HeldDirectory> parent =
      HeldDirectory::OpenFollowingLinks(path.folder);
  if (!parent.ok()) return parent.status();
  absl::Status removed = parent->Remove(path.name);
  if (!removed.ok()) return removed;
  // Fails while other runs' folders are there.
  (void)rmdir(path.folder.c_str());
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> ClaimRunFolder(const std::string& folder) {
  if (absl::Status made = MakeFolders(folder); !made.ok()) return made;
  const std::string lock = folder + "/run.lock";
  UniqueFd fd(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.is_open()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock));
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::UnavailableError(absl::StrCat(
        "another hydra run uses ", folder,
        "; choose another --state-dir, or leave it out for a new one"));
  }
  return fd;
}

}  // namespace hydra
