#include "scheduler/service/file_sender.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPieceBytes = 1 << 20;

absl::StatusOr<std::set<std::string>> RegularFiles(
    const std::string& directory) {
  std::set<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code unknown;
    if (entry->symlink_status(unknown).type() == fs::file_type::regular) {
      names.insert(entry->path().filename().string());
    }
  }
  if (error) return FileError(error.value(), directory);
  return names;
}

absl::Status SendFile(
    const UniqueFd& file, const std::string& path, const std::string& name,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send) {
  const absl::StatusOr<int64_t> size = FileBytes(file, path);
  if (!size.ok()) return size.status();
  hydra::v1::DownloadResponse piece;
  piece.set_file_name(name);
  piece.set_file_bytes(*size);
  int64_t sent = 0;
  // An empty file is one empty piece.
  do {
    std::string& data = *piece.mutable_data();
    data.resize(std::min(kPieceBytes, *size - sent));
    absl::Status status =
        ReadExactly(file, path, sent, data.size(), data.data());
    if (!status.ok()) return status;
    sent += data.size();
    if (!send(piece)) return absl::CancelledError("the receiver went away");
    piece.Clear();
  } while (sent < *size);
  return absl::OkStatus();
}

}  // namespace

absl::Status SendFiles(
    const std::string& directory,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send) {
  const absl::StatusOr<UniqueFd> folder = OpenDirectory(directory);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<std::string> real_path = RealPath(*folder);
  if (!real_path.ok()) return real_path.status();
  const absl::StatusOr<std::set<std::string>> names = RegularFiles(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const absl::StatusOr<UniqueFd> file =
        OpenRegularFileBelow(*folder, directory, name, {*real_path});
    if (!file.ok()) return file.status();
    absl::Status status =
        SendFile(*file, absl::StrCat(directory, "/", name), name, send);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hydra
