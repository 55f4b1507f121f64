#include "common/checkpoint/staged_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/safetensors/file.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using safetensors::FileError;

std::string FolderOf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void RemoveAll(const std::string& path) {
  // What cannot be removed is a leftover, as after a kill.
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

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
  return absl::StrCat(path, ".tmp-", getpid(), "-", purpose);
}

absl::Status SyncDirectory(const std::string& path) {
  const auto fd = safetensors::OpenDirectory(path);
  if (!fd.ok()) return fd.status();
  if (fsync(fd->get()) == 0) return absl::OkStatus();
  return FileError(errno, absl::StrCat("cannot sync directory ", path));
}

StagedDirectory::StagedDirectory(std::string final_path)
    : final_path_(std::move(final_path)),
      path_(absl::StrCat(final_path_, ".tmp-", getpid())) {}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : final_path_(std::move(other.final_path_)),
      path_(std::exchange(other.path_, "")) {}

StagedDirectory::~StagedDirectory() {
  if (!path_.empty()) RemoveAll(path_);
}

absl::StatusOr<StagedDirectory> StagedDirectory::Create(
    const std::string& final_path) {
  absl::Status status = MakeFolders(FolderOf(final_path));
  if (!status.ok()) return status;
  StagedDirectory staged(final_path);
  // Of a process that had this id and was killed.
  RemoveAll(staged.path());
  status = Make(staged.path());
  if (!status.ok()) return status;
  return staged;
}

absl::Status StagedDirectory::Commit() {
  absl::Status status = SyncDirectory(path_);
  if (status.ok()) status = MoveIntoPlace();
  if (status.ok()) status = SyncDirectory(FolderOf(final_path_));
  return status;
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
  const std::string aside = RemovablePath(final_path_, "replaced");
  RemoveAll(aside);
  absl::Status status = Rename(final_path_, aside);
  if (!status.ok()) return status;
  status = Rename(path_, final_path_);
  if (!status.ok()) {
    (void)Rename(aside, final_path_);
    return status;
  }
  RemoveAll(aside);
  return absl::OkStatus();
}

}  // namespace hydra
