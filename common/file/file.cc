#include "common/file/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

// Marks a status of FileError().
constexpr char kWithoutFileBroker[] = "hydra.without_file_broker";

// What one read or write call takes at most, see read(2).
constexpr int64_t kMaxCallBytes = 0x7ffff000;

absl::Status ReadingError(int error, absl::string_view what) {
  absl::Status status = FileError(error, what);
  if (!absl::IsUnavailable(status) || IsWithoutFileBroker(status)) {
    return status;
  }
  return absl::DataLossError(status.message());
}

absl::Status RequireRegular(const UniqueFd& fd, absl::string_view path) {
  struct stat facts;
  if (fstat(fd.get(), &facts) != 0) {
    return ReadingError(errno, absl::StrCat("cannot examine ", path));
  }
  if (S_ISREG(facts.st_mode)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is not a regular file"));
}

// An O_PATH descriptor: it finds the file without touching it.
absl::StatusOr<UniqueFd> FindIn(const UniqueFd& directory,
                                const std::string& name, int flags,
                                absl::string_view path, const FileUser& user) {
  UniqueFd found = user.OpenAt(directory.get(), name, flags | O_PATH);
  if (found.is_open()) return found;
  return ReadingError(errno, absl::StrCat("cannot open ", path));
}

// That very file, whatever has its name by now.
absl::StatusOr<UniqueFd> OpenFound(const UniqueFd& found,
                                   absl::string_view path,
                                   const FileUser& user) {
  if (absl::Status status = RequireRegular(found, path); !status.ok()) {
    return status;
  }
  UniqueFd fd = user.Reopen(found.get(), O_RDONLY);
  if (fd.is_open()) return fd;
  return ReadingError(errno, absl::StrCat("cannot open ", path));
}

bool IsBelow(absl::string_view path, absl::string_view root) {
  if (root == "/") return true;
  return absl::StartsWith(path, root) && path.size() > root.size() &&
         path[root.size()] == '/';
}

}  // namespace

absl::Status FileError(int error, absl::string_view what) {
  absl::Status status = absl::ErrnoToStatus(error, what);
  switch (error) {
    case EFBIG:
      return absl::ResourceExhaustedError(status.message());
    case EIO:
    case ESTALE:
      return absl::UnavailableError(status.message());
    case ENOTCONN:
      status = absl::UnavailableError(absl::StrCat(
          what, ": hydra-files, or the file system, does not answer"));
      status.SetPayload(kWithoutFileBroker, absl::Cord());
      return status;
    case ESRCH:
      return absl::PermissionDeniedError(
          absl::StrCat(what, ": its user is none of this machine"));
    default:
      return status;
  }
}

bool IsWithoutFileBroker(const absl::Status& status) {
  return status.GetPayload(kWithoutFileBroker).has_value();
}

SplitPath::SplitPath(const std::string& path)
    : folder(std::filesystem::path(path).parent_path().string()),
      name(std::filesystem::path(path).filename().string()) {
  if (folder.empty()) folder = ".";
}

absl::StatusOr<UniqueFd> OpenDirectory(const std::string& path,
                                       const FileUser& user) {
  UniqueFd fd = user.Open(path, O_RDONLY | O_DIRECTORY);
  if (!fd.is_open()) {
    return FileError(errno, absl::StrCat("cannot open directory ", path));
  }
  return fd;
}

absl::Status SyncDirectory(const std::string& path) {
  const absl::StatusOr<UniqueFd> fd = OpenDirectory(path);
  if (!fd.ok()) return fd.status();
  return SyncDirectory(*fd, path);
}

absl::Status SyncDirectory(const UniqueFd& directory, absl::string_view path) {
  if (fsync(directory.get()) == 0) return absl::OkStatus();
  return FileError(errno, absl::StrCat("cannot sync directory ", path));
}

absl::StatusOr<std::string> RealPath(const UniqueFd& fd) {
  char path[PATH_MAX];
  const ssize_t length = readlink(
      absl::StrCat("/proc/self/fd/", fd.get()).c_str(), path, sizeof(path));
  if (length < 0) return FileError(errno, "cannot read /proc/self/fd");
  if (length == sizeof(path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a path is longer than ", sizeof(path), " B"));
  }
  return std::string(path, length);
}

std::vector<std::string> RealRoots(const std::vector<std::string>& roots) {
  if (roots.empty()) return {"/"};
  std::vector<std::string> real;
  for (const std::string& root : roots) {
    // It need not be readable for this process: its files' users may be others.
    const UniqueFd fd = FileUser().Open(root, O_PATH | O_DIRECTORY);
    if (!fd.is_open()) continue;
    absl::StatusOr<std::string> path = RealPath(fd);
    if (path.ok()) real.push_back(*std::move(path));
  }
  return real;
}

FileAccess AccessBelow(const std::vector<std::string>& roots, FileUser user) {
  return {std::move(user), RealRoots(roots)};
}

absl::StatusOr<UniqueFd> OpenRegularFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO would wait for its writer. On a regular file it
  // has no effect.
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.is_open())
    return ReadingError(errno, absl::StrCat("cannot open ", path));
  absl::Status status = RequireRegular(fd, path);
  if (!status.ok()) return status;
  return fd;
}

absl::StatusOr<UniqueFd> OpenRegularFileBelow(const UniqueFd& directory,
                                              absl::string_view directory_path,
                                              const std::string& name,
                                              const FileAccess& access) {
  const std::string path = absl::StrCat(directory_path, "/", name);
  const absl::StatusOr<UniqueFd> found =
      FindIn(directory, name, 0, path, access.user);
  if (!found.ok()) return found.status();
  const absl::StatusOr<std::string> real_path = RealPath(*found);
  if (!real_path.ok()) return real_path.status();
  if (std::none_of(
          access.real_roots.begin(), access.real_roots.end(),
          [&](const std::string& root) { return IsBelow(*real_path, root); })) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " leads to ", *real_path, ", outside of the allowed roots"));
  }
  return OpenFound(*found, path, access.user);
}

absl::StatusOr<UniqueFd> OpenRegularFileIn(const UniqueFd& directory,
                                           absl::string_view directory_path,
                                           const std::string& name,
                                           const FileUser& user) {
  const std::string path = absl::StrCat(directory_path, "/", name);
  const absl::StatusOr<UniqueFd> found =
      FindIn(directory, name, O_NOFOLLOW, path, user);
  if (!found.ok()) return found.status();
  return OpenFound(*found, path, user);
}

absl::StatusOr<int64_t> FileBytes(const UniqueFd& fd, absl::string_view path) {
  struct stat facts;
  if (fstat(fd.get(), &facts) != 0) {
    return ReadingError(errno, absl::StrCat("cannot examine ", path));
  }
  return static_cast<int64_t>(facts.st_size);
}

absl::Status ReadExactly(const UniqueFd& fd, absl::string_view path,
                         int64_t offset, int64_t bytes, void* to) {
  int64_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        pread(fd.get(), static_cast<char*>(to) + done,
              std::min(bytes - done, kMaxCallBytes), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return ReadingError(
          errno, absl::StrCat("cannot read ", bytes - done, " B at byte ",
                              offset + done, " of ", path));
    }
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat(path, " ends at byte ", offset + done, ", ", bytes,
                       " B were wanted from byte ", offset));
    }
    done += got;
  }
  return absl::OkStatus();
}

absl::Status WriteExactly(const UniqueFd& fd, absl::string_view path,
                          int64_t offset, int64_t bytes, const void* from) {
  int64_t done = 0;
  while (done < bytes) {
    const ssize_t put =
        pwrite(fd.get(), static_cast<const char*>(from) + done,
               std::min(bytes - done, kMaxCallBytes), offset + done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      return FileError(
          errno, absl::StrCat("cannot write ", bytes - done, " B at byte ",
                              offset + done, " of ", path));
    }
    done += put;
  }
  return absl::OkStatus();
}

}  // namespace hydra
