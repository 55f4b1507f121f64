#include "common/checkpoint/file_opener.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {

FileOpener::FileOpener(std::string path, std::string real_path,
                       UniqueFd directory)
    : path_(std::move(path)),
      real_path_(std::move(real_path)),
      directory_(std::move(directory)) {}

absl::StatusOr<FileOpener> FileOpener::Make(const std::string& directory) {
  absl::StatusOr<UniqueFd> fd = OpenDirectory(directory);
  if (absl::IsNotFound(fd.status())) return fd.status();
  if (!fd.ok()) return AsDataLoss(fd.status());
  absl::StatusOr<std::string> real_path = RealPath(*fd);
  if (!real_path.ok()) return real_path.status();
  return FileOpener(directory, *std::move(real_path), *std::move(fd));
}

std::string FileOpener::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<UniqueFd> FileOpener::Open(const std::string& name) const {
  absl::StatusOr<UniqueFd> fd =
      OpenRegularFileBelow(directory_, path_, name, {real_path_});
  if (!fd.ok()) return AsDataLoss(fd.status());
  return fd;
}

absl::Status AsDataLoss(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnavailable:
      return absl::DataLossError(status.message());
    default:
      return status;
  }
}

}  // namespace hydra
