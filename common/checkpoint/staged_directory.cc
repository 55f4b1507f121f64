#include "common/checkpoint/staged_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

std::string FolderOf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

constexpr char kReplaced[] = "replaced";

absl::Status Make(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0) return absl::OkStatus();
  return FileError(errno, absl::StrCat("cannot make directory ", path));
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return FileError(errno, absl::StrCat("cannot rename ", from, " to ", to));
}

// Like mkdir -p, and it survives a power cut.
absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return absl::OkStatus();
  const std::string parent = FolderOf(path);
  if (parent == path) return Make(path);
  absl::Status status = MakeFolders(parent);
  if (status.ok()) status = Make(path);
  // Somebody else may have made it just now.
  if (absl::IsAlreadyExists(status)) return absl::OkStatus();
  if (status.ok()) status = SyncDirectory(parent);
  return status;
}

}  // namespace

std::string RemovablePath(const std::string& path, const std::string& purpose) {
  return absl::StrCat(path, kLeftoverInfix, getpid(), "-", purpose);
}

absl::Status RemoveLeftoversOf(const std::string& final_path) {
  const std::string prefix =
      absl::StrCat(fs::path(final_path).filename().string(), kLeftoverInfix);
  std::vector<std::string> leftovers;
  std::error_code error;
  fs::directory_iterator entry(FolderOf(final_path), error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (absl::StartsWith(entry->path().filename().string(), prefix)) {
      leftovers.push_back(entry->path().string());
    }
  }
  if (error) return FileError(error.value(), FolderOf(final_path));
  for (const std::string& path : leftovers) {
    const bool bring_back =
        absl::EndsWith(path, kReplaced) && !fs::exists(final_path, error);
    absl::Status status =
        bring_back ? Rename(path, final_path) : RemoveTree(path);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

StagedDirectory::StagedDirectory(std::string final_path)
    : final_path_(std::move(final_path)),
      path_(absl::StrCat(final_path_, kLeftoverInfix, getpid())) {}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : final_path_(std::move(other.final_path_)),
      path_(std::exchange(other.path_, "")) {}

StagedDirectory::~StagedDirectory() {
  // What cannot be removed is a leftover, as after a kill.
  if (!path_.empty()) (void)RemoveTree(path_);
}

absl::StatusOr<StagedDirectory> StagedDirectory::Create(
    const std::string& final_path) {
  absl::Status status = MakeFolders(FolderOf(final_path));
  if (!status.ok()) return status;
  StagedDirectory staged(final_path);
  // Of a process that had this id and was killed.
  status = RemoveTree(staged.path());
  if (status.ok()) status = Make(staged.path());
  if (!status.ok()) return status;
  return staged;
}

absl::Status StagedDirectory::Commit() {
  absl::Status status = SyncDirectory(path_);
  if (status.ok()) status = MoveIntoPlace();
  if (!status.ok()) return status;
  status = SyncDirectory(FolderOf(final_path_));
  // The disk may still know what was replaced by the final name.
  if (!status.ok()) path_.clear();
  return status;
}

absl::Status StagedDirectory::CommitFiles(const std::string& last) {
  absl::Status status = MakeFolders(final_path_);
  if (!status.ok()) return status;
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(path_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return FileError(error.value(), path_);
  for (const std::string& name : names) {
    if (name != last) status.Update(MoveFile(name));
  }
  if (status.ok()) status = SyncDirectory(final_path_);
  if (status.ok()) status = MoveFile(last);
  if (status.ok()) status = SyncDirectory(final_path_);
  return status;
}

absl::Status StagedDirectory::MoveFile(const std::string& name) const {
  return Rename(absl::StrCat(path_, "/", name),
                absl::StrCat(final_path_, "/", name));
}

absl::Status StagedDirectory::MoveIntoPlace() const {
  if (rename(path_.c_str(), final_path_.c_str()) == 0) return absl::OkStatus();
  if (errno == ENOTEMPTY || errno == EEXIST) return Replace();
  return FileError(errno, absl::StrCat("cannot rename to ", final_path_));
}

absl::Status StagedDirectory::Replace() const {
  if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, final_path_.c_str(),
                RENAME_EXCHANGE) == 0) {
    return absl::OkStatus();
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return FileError(
        errno, absl::StrCat("cannot exchange ", path_, " and ", final_path_));
  }
  const std::string aside = RemovablePath(final_path_, kReplaced);
  absl::Status status = RemoveTree(aside);
  if (status.ok()) status = Rename(final_path_, aside);
  if (!status.ok()) return status;
  status = Rename(path_, final_path_);
  // The older one is where an exchange would have put it, or back again.
  (void)Rename(aside, status.ok() ? path_ : final_path_);
  return status;
}

}  // namespace hydra
