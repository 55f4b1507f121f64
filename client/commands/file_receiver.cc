#include "client/commands/file_receiver.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

bool IsPlainFileName(const std::string& name) {
  return name != "." && name != ".." && !absl::StrContains(name, '/') &&
         name.find('\0') == std::string::npos;
}

absl::Status Exists(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat(path, " exists; --force replaces it"));
}

}  // namespace

FileReceiver::FileReceiver(HeldDirectory directory, bool overwrite)
    : directory_(std::move(directory)), overwrite_(overwrite) {}

FileReceiver::~FileReceiver() {
  if (!temporary_name_.empty()) (void)directory_.Remove(temporary_name_);
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
    return absl::ErrnoToStatus(
        errno,
        absl::StrCat("cannot write ", directory_.PathOf(temporary_name_)));
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
  // A link counts, wherever it leads to.
  if (!overwrite_ && directory_.Has(piece.file_name())) {
    return Exists(directory_.PathOf(piece.file_name()));
  }
  temporary_name_ =
      absl::StrCat(".", piece.file_name(), ".", getpid(), ".part");
  // Never through a link that somebody else put there.
  if (absl::Status removed = directory_.Remove(temporary_name_);
      !removed.ok()) {
    return removed;
  }
  UniqueFd fd(openat(directory_.fd().get(), temporary_name_.c_str(),
                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (fd.is_open()) file_.reset(fdopen(fd.get(), "wb"));
  if (file_ == nullptr) {
    return absl::ErrnoToStatus(
        errno,
        absl::StrCat("cannot make ", directory_.PathOf(temporary_name_)));
  }
  fd.Release();
  name_ = piece.file_name();
  missing_bytes_ = piece.file_bytes();
  return absl::OkStatus();
}

absl::Status FileReceiver::End() {
  const bool written =
      fflush(file_.get()) == 0 && fsync(fileno(file_.get())) == 0;
  if (!written || fclose(file_.release()) != 0) {
    return absl::ErrnoToStatus(
        errno,
        absl::StrCat("cannot write ", directory_.PathOf(temporary_name_)));
  }
  if (!overwrite_ && directory_.Has(name_)) {
    return Exists(directory_.PathOf(name_));
  }
  absl::Status renamed = directory_.Rename(temporary_name_, directory_, name_);
  if (!renamed.ok()) return renamed;
  temporary_name_.clear();
  files_.push_back(std::exchange(name_, ""));
  return absl::OkStatus();
}

}  // namespace hydra
