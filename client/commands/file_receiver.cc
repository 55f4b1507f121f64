#include "client/commands/file_receiver.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

bool IsPlainFileName(const std::string& name) {
  return name != "." && name != ".." && !absl::StrContains(name, '/') &&
         name.find('\0') == std::string::npos;
}

// A link counts, wherever it leads to.
bool IsTaken(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

absl::Status Exists(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat(path, " exists; --force replaces it"));
}

}  // namespace

FileReceiver::FileReceiver(std::string directory, bool overwrite)
    : directory_(std::move(directory)), overwrite_(overwrite) {}

FileReceiver::~FileReceiver() {
  if (!temporary_path_.empty()) unlink(temporary_path_.c_str());
}

std::string FileReceiver::Path(const std::string& name) const {
  return absl::StrCat(directory_, "/", name);
}

absl::Status FileReceiver::Receive(const v1::DownloadResponse& piece) {
  if (!piece.file_name().empty()) {
    if (absl::Status status = Finish(); !status.ok()) return status;
    if (absl::Status status = Begin(piece); !status.ok()) return status;
  }
  const auto bytes = static_cast<int64_t>(piece.data().size());
  if (name_.empty() || bytes > missing_bytes_) {
    return absl::DataLossError(absl::StrCat(
        "the server sent ", bytes, " B too many after file \"", name_, "\""));
  }
  missing_bytes_ -= bytes;
  if (fwrite(piece.data().data(), 1, bytes, file_.get()) != bytes) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot write ", temporary_path_));
  }
  return missing_bytes_ == 0 ? End() : absl::OkStatus();
}

absl::Status FileReceiver::Finish() {
  if (name_.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(name_, ": ", missing_bytes_, " B are missing"));
}

absl::Status FileReceiver::Begin(const v1::DownloadResponse& piece) {
  if (!IsPlainFileName(piece.file_name()) || piece.file_bytes() < 0) {
    return absl::DataLossError(absl::StrCat(
        "the server sent \"", piece.file_name(), "\" of ", piece.file_bytes(),
        " B, which is no plain file; nothing was written for it"));
  }
  const std::string path = Path(piece.file_name());
  if (!overwrite_ && IsTaken(path)) return Exists(path);
  temporary_path_ =
      Path(absl::StrCat(".", piece.file_name(), ".", getpid(), ".part"));
  // Never through a link that somebody else put there.
  unlink(temporary_path_.c_str());
  file_.reset(fopen(temporary_path_.c_str(), "wbx"));
  if (file_ == nullptr) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot make ", temporary_path_));
  }
  name_ = piece.file_name();
  missing_bytes_ = piece.file_bytes();
  return absl::OkStatus();
}

absl::Status FileReceiver::End() {
  const bool written =
      fflush(file_.get()) == 0 && fsync(fileno(file_.get())) == 0;
  if (!written || fclose(file_.release()) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot write ", temporary_path_));
  }
  const std::string path = Path(name_);
  if (!overwrite_ && IsTaken(path)) return Exists(path);
  if (rename(temporary_path_.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
  }
  temporary_path_.clear();
  files_.push_back(std::exchange(name_, ""));
  return absl::OkStatus();
}

}  // namespace hydra
