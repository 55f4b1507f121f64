#include "scheduler/service/file_sender.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPieceBytes = 1 << 20;

absl::Status SendFile(
    const fs::path& path,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send) {
  std::error_code error;
  const int64_t size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  hydra::v1::DownloadResponse piece;
  piece.set_file_name(path.filename().string());
  piece.set_file_bytes(size);
  int64_t sent = 0;
  do {
    std::string& data = *piece.mutable_data();
    data.resize(std::min(kPieceBytes, size - sent));
    file.read(data.data(), data.size());
    if (error || !file) {
      return absl::DataLossError(
          absl::StrCat(path.string(), " ends before its ", size, " bytes"));
    }
    sent += data.size();
    if (!send(piece)) return absl::CancelledError("the receiver went away");
    piece.Clear();
  } while (sent < size);
  return absl::OkStatus();
}

}  // namespace

absl::Status SendFiles(
    const std::string& directory,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send) {
  std::error_code error;
  std::set<fs::path> files;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(directory, error)) {
    if (entry.is_regular_file(error)) files.insert(entry.path());
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat(directory, ": ", error.message()));
  }
  for (const fs::path& path : files) {
    if (absl::Status status = SendFile(path, send); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace hydra
