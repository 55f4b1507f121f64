#include "common/file/held_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydra {
namespace {

constexpr int kFolderFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// Each level takes a descriptor and a piece of the stack.
constexpr int kMaxDepth = 100;

// What `mode`, a directory's, allows others in what is made there.
mode_t FolderMode(mode_t mode) {
  return S_IRWXU | (mode & (S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH));
}
mode_t FileMode(mode_t mode) {
  return S_IRUSR | S_IWUSR | (mode & (S_IRGRP | S_IROTH));
}

absl::StatusOr<mode_t> ModeOf(int fd, const std::string& path) {
  struct stat facts;
  if (fstat(fd, &facts) == 0) return facts.st_mode;
  return FileError(errno, absl::StrCat("cannot examine ", path));
}

// The umask may have taken some of it away. Not done without need, since it
// takes the set-group-id bit from whoever is not in the group.
absl::Status GiveMode(const FileUser& user, int fd, mode_t mode,
                      const std::string& path) {
  const absl::StatusOr<mode_t> now = ModeOf(fd, path);
  if (!now.ok()) return now.status();
  const mode_t kept = *now & S_ISGID;
  if ((*now & ACCESSPERMS) == mode || user.ChangeMode(fd, mode | kept) == 0) {
    return absl::OkStatus();
  }
  // A file system that has no modes of its own.
  if (errno == EPERM || errno == EOPNOTSUPP) return absl::OkStatus();
  return FileError(errno, absl::StrCat("cannot change the mode of ", path));
}

std::string KindOf(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISREG(mode)) return "a file";
  return "neither a file nor a directory";
}

// Why `name` could not be opened as a directory.
absl::Status NotOpened(const FileUser& user, int at, const std::string& name,
                       const std::string& path, int error) {
  struct stat facts;
  const bool is_no_folder = error == ENOTDIR || error == ELOOP;
  const UniqueFd found =
      is_no_folder ? user.OpenAt(at, name, O_PATH | O_NOFOLLOW) : UniqueFd();
  if (found.is_open() && fstat(found.get(), &facts) == 0 &&
      !S_ISDIR(facts.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is ", KindOf(facts.st_mode), ", not a directory",
        S_ISLNK(facts.st_mode) ? "; where a job's files are, no link is "
                                 "followed: put the directory itself there"
                               : ""));
  }
  return FileError(error, absl::StrCat("cannot open directory ", path));
}

absl::StatusOr<UniqueFd> OpenIn(const FileUser& user, int at,
                                const std::string& name, int flags,
                                const std::string& path) {
  UniqueFd fd = user.OpenAt(at, name, flags | kFolderFlags);
  if (fd.is_open()) return fd;
  return NotOpened(user, at, name, path, errno);
}

absl::StatusOr<UniqueFd> MakeIn(const FileUser& user, int at,
                                const std::string& name,
                                const std::string& path) {
  const absl::StatusOr<mode_t> around = ModeOf(at, path);
  if (!around.ok()) return around.status();
  const mode_t mode = FolderMode(*around);
  if (user.MakeDirectoryAt(at, name, mode) != 0) {
    return FileError(errno, absl::StrCat("cannot make directory ", path));
  }
  absl::StatusOr<UniqueFd> made = OpenIn(user, at, name, O_RDONLY, path);
  if (!made.ok()) return made;
  if (absl::Status given = GiveMode(user, made->get(), mode, path);
      !given.ok()) {
    return given;
  }
  return made;
}

// One that is to pass through: it need not be readable.
absl::StatusOr<UniqueFd> StepInto(const FileUser& user, int at,
                                  const std::string& name, bool make,
                                  const std::string& path) {
  absl::StatusOr<UniqueFd> next = OpenIn(user, at, name, O_PATH, path);
  if (!make || !absl::IsNotFound(next.status())) return next;
  const absl::StatusOr<UniqueFd> made = MakeIn(user, at, name, path);
  // Somebody else may have made it just now.
  if (!made.ok() && !absl::IsAlreadyExists(made.status())) {
    return made.status();
  }
  const absl::StatusOr<UniqueFd> around = OpenIn(user, at, ".", O_RDONLY, path);
  if (!around.ok()) return around.status();
  if (absl::Status synced = SyncDirectory(*around, path); !synced.ok()) {
    return synced;
  }
  return OpenIn(user, at, name, O_PATH, path);
}

absl::StatusOr<std::vector<std::string>> NamesIn(const FileUser& user, int fd,
                                                 const std::string& path) {
  // One with a position of its own.
  absl::StatusOr<UniqueFd> own = OpenIn(user, fd, ".", O_RDONLY, path);
  if (!own.ok()) return own.status();
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(own->get()),
                                                    &closedir);
  if (entries == nullptr) {
    return FileError(errno, absl::StrCat("cannot list ", path));
  }
  own->Release();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(entries.get());
    if (entry == nullptr) break;
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return FileError(errno, absl::StrCat("cannot list ", path));
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status RemoveIn(const FileUser& user, int at, const std::string& name,
                      const std::string& path, int depth);

absl::Status RemoveContentsOf(const FileUser& user, int fd,
                              const std::string& path, int depth) {
  if (depth > kMaxDepth) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot remove ", path, ": it is ", depth, " directories deep"));
  }
  const absl::StatusOr<std::vector<std::string>> names =
      NamesIn(user, fd, path);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    absl::Status removed =
        RemoveIn(user, fd, name, absl::StrCat(path, "/", name), depth + 1);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::Status RemoveIn(const FileUser& user, int at, const std::string& name,
                      const std::string& path, int depth) {
  const UniqueFd folder = user.OpenAt(at, name, O_RDONLY | kFolderFlags);
  const bool is_folder = folder.is_open();
  if (is_folder) {
    absl::Status emptied = RemoveContentsOf(user, folder.get(), path, depth);
    if (!emptied.ok()) return emptied;
  } else if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT) {
    return FileError(errno, absl::StrCat("cannot remove ", path));
  }
  if (user.UnlinkAt(at, name, is_folder ? AT_REMOVEDIR : 0) == 0 ||
      errno == ENOENT) {
    return absl::OkStatus();
  }
  return FileError(errno, absl::StrCat("cannot remove ", path));
}

}  // namespace

HeldDirectory::HeldDirectory(FileUser user, std::string path, UniqueFd fd)
    : user_(std::move(user)),
      path_(std::move(path)),
      fd_(std::make_shared<const UniqueFd>(std::move(fd))) {}

absl::StatusOr<HeldDirectory> HeldDirectory::Walk(const std::string& path,
                                                  const FileUser& user,
                                                  bool make) {
  std::string passed = path.substr(0, 1) == "/" ? "/" : "";
  UniqueFd at(open(passed.empty() ? "." : "/", O_PATH | kFolderFlags));
  if (!at.is_open()) {
    return FileError(errno, absl::StrCat("cannot open directory ", path));
  }
  for (const absl::string_view name :
       absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&passed, passed.empty() || passed == "/" ? "" : "/", name);
    absl::StatusOr<UniqueFd> next =
        StepInto(user, at.get(), std::string(name), make, passed);
    if (!next.ok()) return next.status();
    at = *std::move(next);
  }
  absl::StatusOr<UniqueFd> readable =
      OpenIn(user, at.get(), ".", O_RDONLY, path);
  if (!readable.ok()) return readable.status();
  return HeldDirectory(user, path, *std::move(readable));
}

absl::StatusOr<HeldDirectory> HeldDirectory::Open(const std::string& path,
                                                  const FileUser& user) {
  return Walk(path, user, /*make=*/false);
}

absl::StatusOr<HeldDirectory> HeldDirectory::Make(const std::string& path,
                                                  const FileUser& user) {
  return Walk(path, user, /*make=*/true);
}

absl::StatusOr<HeldDirectory> HeldDirectory::OpenFollowingLinks(
    const std::string& path) {
  absl::StatusOr<UniqueFd> fd = OpenDirectory(path);
  if (!fd.ok()) return fd.status();
  return HeldDirectory(FileUser(), path, *std::move(fd));
}

std::string HeldDirectory::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<HeldDirectory> HeldDirectory::OpenFolder(
    const std::string& name) const {
  absl::StatusOr<UniqueFd> folder =
      OpenIn(user_, fd_->get(), name, O_RDONLY, PathOf(name));
  if (!folder.ok()) return folder.status();
  return HeldDirectory(user_, PathOf(name), *std::move(folder));
}

absl::StatusOr<HeldDirectory> HeldDirectory::MakeFolder(
    const std::string& name) const {
  absl::StatusOr<UniqueFd> folder =
      MakeIn(user_, fd_->get(), name, PathOf(name));
  if (!folder.ok()) return folder.status();
  return HeldDirectory(user_, PathOf(name), *std::move(folder));
}

absl::StatusOr<HeldDirectory> HeldDirectory::OpenOrMakeFolder(
    const std::string& name) const {
  const std::string path = PathOf(name);
  const absl::StatusOr<UniqueFd> folder =
      StepInto(user_, fd_->get(), name, /*make=*/true, path);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<UniqueFd> readable =
      OpenIn(user_, folder->get(), ".", O_RDONLY, path);
  if (!readable.ok()) return readable.status();
  return HeldDirectory(user_, path, *std::move(readable));
}

absl::StatusOr<UniqueFd> HeldDirectory::CreateFile(
    const std::string& name) const {
  const absl::StatusOr<mode_t> around = ModeOf(fd_->get(), path_);
  if (!around.ok()) return around.status();
  const mode_t mode = FileMode(*around);
  absl::StatusOr<UniqueFd> file = CreateFile(name, mode);
  if (!file.ok()) return file;
  if (absl::Status given = GiveMode(user_, file->get(), mode, PathOf(name));
      !given.ok()) {
    return given;
  }
  return file;
}

absl::StatusOr<UniqueFd> HeldDirectory::CreateFile(const std::string& name,
                                                   mode_t mode) const {
  UniqueFd file =
      user_.OpenAt(fd_->get(), name, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file.is_open()) return file;
  return FileError(errno, absl::StrCat("cannot create ", PathOf(name)));
}

absl::StatusOr<UniqueFd> HeldDirectory::OpenToAppend(
    const std::string& name) const {
  UniqueFd file = user_.OpenAt(fd_->get(), name,
                               O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  if (!file.is_open() && errno != ELOOP) {
    return FileError(errno, absl::StrCat("cannot open ", PathOf(name)));
  }
  struct stat facts;
  if (!file.is_open() || fstat(file.get(), &facts) != 0 ||
      !S_ISREG(facts.st_mode) || facts.st_nlink != 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        PathOf(name),
        " is a link, no regular file, or has another name, too; it is left as "
        "it is: remove it"));
  }
  return file;
}

bool HeldDirectory::Has(const std::string& name) const {
  return user_.OpenAt(fd_->get(), name, O_PATH | O_NOFOLLOW).is_open();
}

bool HeldDirectory::HasFile(const std::string& name) const {
  struct stat facts;
  const UniqueFd found = user_.OpenAt(fd_->get(), name, O_PATH | O_NOFOLLOW);
  return found.is_open() && fstat(found.get(), &facts) == 0 &&
         S_ISREG(facts.st_mode);
}

absl::StatusOr<std::vector<std::string>> HeldDirectory::Names() const {
  return NamesIn(user_, fd_->get(), path_);
}

absl::Status HeldDirectory::Rename(const std::string& name,
                                   const HeldDirectory& directory,
                                   const std::string& to) const {
  if (user_.RenameAt(fd_->get(), name, directory.fd_->get(), to) == 0) {
    return absl::OkStatus();
  }
  // Of the two errors that say so, the one that has a code of its own.
  return FileError(errno == ENOTEMPTY ? EEXIST : errno,
                   absl::StrCat("cannot rename ", PathOf(name), " to ",
                                directory.PathOf(to)));
}

absl::Status HeldDirectory::Exchange(const std::string& name,
                                     const std::string& other) const {
  if (user_.RenameAt(fd_->get(), name, fd_->get(), other, RENAME_EXCHANGE) ==
      0) {
    return absl::OkStatus();
  }
  const std::string what =
      absl::StrCat("cannot exchange ", PathOf(name), " and ", PathOf(other));
  if (errno == EINVAL || errno == ENOSYS) return absl::UnimplementedError(what);
  return FileError(errno, what);
}

absl::Status HeldDirectory::Remove(const std::string& name) const {
  return RemoveIn(user_, fd_->get(), name, PathOf(name), 0);
}

absl::Status HeldDirectory::RemoveContents() const {
  return RemoveContentsOf(user_, fd_->get(), path_, 0);
}

absl::Status HeldDirectory::RemoveEmptyFolder(const std::string& name) const {
  if (user_.UnlinkAt(fd_->get(), name, AT_REMOVEDIR) == 0) {
    return absl::OkStatus();
  }
  return FileError(errno, absl::StrCat("cannot remove ", PathOf(name)));
}

absl::Status HeldDirectory::Sync() const { return SyncDirectory(*fd_, path_); }

absl::Status HeldDirectory::CheckStillThere() const {
  const absl::StatusOr<HeldDirectory> now = Open(path_, user_);
  struct stat held;
  struct stat found;
  if (now.ok() && fstat(fd_->get(), &held) == 0 &&
      fstat(now->fd_->get(), &found) == 0 && held.st_dev == found.st_dev &&
      held.st_ino == found.st_ino) {
    return absl::OkStatus();
  }
  if (!now.ok() && !absl::IsNotFound(now.status())) return now.status();
  return absl::UnavailableError(absl::StrCat(
      path_, now.ok() ? " is another directory" : " is not there any more",
      ": it was renamed or removed while files were written in it"));
}

}  // namespace hydra
