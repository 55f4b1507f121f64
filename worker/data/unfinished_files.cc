#include "worker/data/unfinished_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/file/file.h"
#include "glog/logging.h"

namespace hydra {
namespace {

constexpr absl::string_view kUnfinished = ".tmp";
constexpr absl::string_view kProgress = ".tmp.progress";

constexpr absl::Duration kPause = absl::Milliseconds(50);

// Not if whoever had the lock before has renamed or removed it.
bool IsStillAt(int fd, const std::string& path) {
  struct stat opened;
  struct stat named;
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

void RemoveIfAbandoned(const std::string& unfinished, absl::Time before) {
  const UniqueFd fd(open(unfinished.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts;
  if (!fd.is_open() || fstat(fd.get(), &facts) != 0 ||
      absl::TimeFromTimespec(facts.st_mtim) >= before) {
    return;
  }
  // Held to the end: whoever comes now waits, and then finds it gone.
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
  if (!IsStillAt(fd.get(), unfinished)) return;
  const std::string token_file(absl::StripSuffix(unfinished, kUnfinished));
  unlink(ProgressPath(token_file).c_str());
  if (unlink(unfinished.c_str()) != 0) return;
  LOG(INFO) << "removed " << unfinished << ", " << facts.st_size
            << " bytes of a preparation that was never finished";
}

}  // namespace

std::string UnfinishedPath(const std::string& token_file) {
  return absl::StrCat(token_file, kUnfinished);
}

std::string ProgressPath(const std::string& token_file) {
  return absl::StrCat(token_file, kProgress);
}

absl::StatusOr<PosixFile> OpenUnfinished(const std::string& token_file,
                                         TaskControl& control) {
  const std::string path = UnfinishedPath(token_file);
  while (true) {
    absl::StatusOr<PosixFile> file = PosixFile::Open(path, O_RDWR | O_CREAT);
    if (!file.ok()) return file;
    while (flock(file->fd(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EINTR && errno != EWOULDBLOCK) {
        return ErrnoStatus("cannot lock", path);
      }
      if (absl::Status on = control.Advance(); !on.ok()) return on;
      absl::SleepFor(kPause);
    }
    if (IsStillAt(file->fd(), path)) return file;
  }
}

absl::StatusOr<bool> MakeWholeFile(
    const std::string& path, TaskControl& control,
    absl::FunctionRef<bool()> is_made,
    absl::FunctionRef<absl::Status(PosixFile&)> make) {
  const std::string unfinished = UnfinishedPath(path);
  absl::StatusOr<PosixFile> file = OpenUnfinished(path, control);
  if (!file.ok()) return file.status();
  auto remove = absl::MakeCleanup([&] { unlink(unfinished.c_str()); });
  if (is_made()) return false;
  const absl::Status made = make(*file);
  if (!made.ok()) return made;
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("cannot rename to", path);
  }
  std::move(remove).Cancel();
  const absl::Status synced =
      SyncDirectory(std::filesystem::path(path).parent_path().string());
  if (!synced.ok()) return synced;
  return true;
}

void RemoveAbandoned(const std::string& cache_dir, absl::Time before) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(cache_dir, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string path = entry->path().string();
    if (absl::EndsWith(path, kUnfinished)) RemoveIfAbandoned(path, before);
  }
}

}  // namespace hydra
