#include "common/file/private_places.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

struct Places {
  std::vector<std::string> paths;
  std::string linkable;
};

absl::Mutex& PlacesMutex() {
  static absl::Mutex& mu = *new absl::Mutex();
  return mu;
}

Places& AllPlaces() {
  static Places& places = *new Places();
  return places;
}

Places CurrentPlaces() {
  absl::ReaderMutexLock lock(&PlacesMutex());
  return AllPlaces();
}

// One file or directory, whatever it is called.
struct Identity {
  dev_t device;
  ino_t inode;
  bool operator==(const Identity& other) const {
    return device == other.device && inode == other.inode;
  }
};

std::optional<Identity> IdentityOf(const fs::path& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

std::string Real(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real.string();
}

bool IsAtOrBelow(const fs::path& path, const fs::path& place) {
  const auto end =
      std::mismatch(place.begin(), place.end(), path.begin(), path.end());
  return end.first == place.end() || end.first->empty();
}

// By their names, and by what each folder of `path` really is.
bool IsIn(const fs::path& path, const std::vector<std::string>& places) {
  std::vector<Identity> identities;
  for (const std::string& place : places) {
    if (IsAtOrBelow(path, Real(place))) return true;
    if (const auto identity = IdentityOf(place))
      identities.push_back(*identity);
  }
  for (fs::path above = path;; above = above.parent_path()) {
    const auto identity = IdentityOf(above);
    if (identity.has_value() && std::find(identities.begin(), identities.end(),
                                          *identity) != identities.end()) {
      return true;
    }
    if (!above.has_relative_path()) return false;
  }
}

// The same without following links, which whoever may change folders on the way
// changes between two looks.
bool IsInWithoutLinks(const std::string& path,
                      const std::vector<std::string>& places) {
  std::vector<Identity> identities;
  for (const std::string& place : places) {
    if (IsAtOrBelow(path, Real(place))) return true;
    if (const auto identity = IdentityOf(place)) {
      identities.push_back(*identity);
    }
  }
  UniqueFd at(open(path.substr(0, 1) == "/" ? "/" : ".", O_PATH | O_CLOEXEC));
  for (const absl::string_view name :
       absl::StrSplit(path, '/', absl::SkipEmpty())) {
    at = UniqueFd(openat(at.get(), std::string(name).c_str(),
                         O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info;
    if (!at.is_open() || fstat(at.get(), &info) != 0) return false;
    if (std::find(identities.begin(), identities.end(),
                  Identity{info.st_dev, info.st_ino}) != identities.end()) {
      return true;
    }
  }
  return false;
}

// Whether a file of `place` is `wanted`.
bool Holds(const std::string& place, const std::string& linkable,
           const Identity& wanted) {
  if (IdentityOf(place) == wanted) return true;
  std::error_code error;
  fs::recursive_directory_iterator entry(
      place, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    if (entry->path() == linkable) {
      entry.disable_recursion_pending();
      continue;
    }
    struct stat info;
    if (lstat(entry->path().c_str(), &info) == 0 &&
        Identity{info.st_dev, info.st_ino} == wanted) {
      return true;
    }
  }
  return false;
}

// `directory` is open(2)'s answer for `path`.
absl::StatusOr<UniqueFd> CheckedDirectory(UniqueFd directory,
                                          absl::string_view path,
                                          const FileAccess& access) {
  if (!directory.is_open()) {
    return FileError(errno, absl::StrCat("cannot open directory ", path));
  }
  const absl::StatusOr<std::string> real_path = RealPath(directory);
  if (!real_path.ok()) return real_path.status();
  if (std::none_of(access.real_roots.begin(), access.real_roots.end(),
                   [&](const std::string& root) {
                     return IsAtOrBelow(*real_path, root);
                   })) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " leads to ", *real_path, ", outside of the allowed roots"));
  }
  absl::Status status = CheckNotPrivate(directory, path);
  if (!status.ok()) return status;
  return directory;
}

absl::Status Private(absl::string_view path) {
  return absl::PermissionDeniedError(absl::StrCat(
      path,
      " is hydrad's own: jobs read nothing of its state directory, its "
      "pool and its configuration"));
}

}  // namespace

void SetPrivatePlaces(std::vector<std::string> paths, std::string linkable) {
  absl::MutexLock lock(&PlacesMutex());
  AllPlaces() = {std::move(paths), std::move(linkable)};
}

absl::Status CheckNoPrivateHardLink(const UniqueFd& file,
                                    absl::string_view path) {
  struct stat info;
  if (fstat(file.get(), &info) != 0) {
    return FileError(errno, absl::StrCat("cannot examine ", path));
  }
  if (!S_ISREG(info.st_mode) || info.st_nlink < 2) return absl::OkStatus();
  const Places places = CurrentPlaces();
  const Identity identity = {info.st_dev, info.st_ino};
  for (const std::string& place : places.paths) {
    if (Holds(place, places.linkable, identity)) return Private(path);
  }
  return absl::OkStatus();
}

absl::Status CheckNotPrivate(const UniqueFd& file, absl::string_view path) {
  struct statfs system;
  if (fstatfs(file.get(), &system) != 0) {
    return FileError(errno, absl::StrCat("cannot examine ", path));
  }
  if (system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is no file, but an answer of the kernel"));
  }
  const absl::StatusOr<std::string> real_path = RealPath(file);
  if (!real_path.ok()) return real_path.status();
  if (IsPrivatePath(*real_path)) return Private(path);
  return CheckNoPrivateHardLink(file, path);
}

bool IsPrivatePath(const std::string& real_path) {
  return IsIn(real_path, CurrentPlaces().paths);
}

FileUser WriterOf(const std::string& directory, std::optional<uint32_t> owner) {
  const FileUser user = UserOf(owner);
  if (user.is_own()) return user;
  return IsInWithoutLinks(directory, CurrentPlaces().paths) ? FileUser() : user;
}

absl::StatusOr<UniqueFd> OpenJobFile(const UniqueFd& directory,
                                     absl::string_view directory_path,
                                     const std::string& name,
                                     const FileAccess& access) {
  absl::StatusOr<UniqueFd> file =
      OpenRegularFileBelow(directory, directory_path, name, access);
  if (!file.ok()) return file;
  absl::Status status =
      CheckNotPrivate(*file, absl::StrCat(directory_path, "/", name));
  if (!status.ok()) return status;
  return file;
}

absl::StatusOr<UniqueFd> OpenJobFile(const std::string& path,
                                     const FileAccess& access) {
  const SplitPath split(path);
  const absl::StatusOr<UniqueFd> directory =
      OpenDirectory(split.folder, access.user);
  if (IsWithoutFileBroker(directory.status())) return directory.status();
  if (!directory.ok()) {
    return absl::Status(directory.status().code(),
                        absl::StrCat(path, ": ", directory.status().message()));
  }
  return OpenJobFile(*directory, split.folder, split.name, access);
}

absl::StatusOr<UniqueFd> OpenJobDirectory(const std::string& path,
                                          const FileAccess& access) {
  return CheckedDirectory(access.user.Open(path, O_RDONLY | O_DIRECTORY), path,
                          access);
}

absl::StatusOr<UniqueFd> OpenJobDirectory(const UniqueFd& directory,
                                          absl::string_view directory_path,
                                          const std::string& name,
                                          const FileAccess& access) {
  return CheckedDirectory(
      access.user.OpenAt(directory.get(), name, O_RDONLY | O_DIRECTORY),
      absl::StrCat(directory_path, "/", name), access);
}

}  // namespace hydra
