#include "client/commands/file_receiver.h"

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
  if (absl::Status written =
          WriteExactly(file_, directory_.PathOf(temporary_name_),
                       received_bytes_, bytes, piece.data().data());
      !written.ok()) {
    return written;
  }
  received_bytes_ += bytes;
  missing_bytes_ -= bytes;
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
  absl::StatusOr<UniqueFd> file = directory_.CreateFile(temporary_name_, 0666);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  name_ = piece.file_name();
  received_bytes_ = 0;
  missing_bytes_ = piece.file_bytes();
  return absl::OkStatus();
}

absl::Status FileReceiver::End() {
  if (fsync(file_.get()) != 0) {
    return FileError(errno, absl::StrCat("cannot sync ",
                                         directory_.PathOf(temporary_name_)));
  }
  file_ = UniqueFd();
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
