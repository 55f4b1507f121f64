#include "common/checkpoint/file_opener.h"

#include <utility>

namespace hydra {

FileOpener::FileOpener(HeldDirectory directory, FileAccess access)
    : directory_(std::move(directory)), access_(std::move(access)) {}

absl::StatusOr<FileOpener> FileOpener::Make(const std::string& directory,
                                            const FileUser& user) {
  absl::StatusOr<HeldDirectory> held = HeldDirectory::Open(directory, user);
  if (absl::IsNotFound(held.status())) return held.status();
  if (!held.ok()) return AsDataLoss(held.status());
  absl::StatusOr<std::string> real_path = RealPath(held->fd());
  if (!real_path.ok()) return real_path.status();
  return FileOpener(*std::move(held), {user, {*std::move(real_path)}});
}

absl::StatusOr<UniqueFd> FileOpener::Open(const std::string& name) const {
  absl::StatusOr<UniqueFd> fd =
      OpenRegularFileBelow(directory_.fd(), directory_.path(), name, access_);
  if (!fd.ok()) return AsDataLoss(fd.status());
  return fd;
}

absl::Status AsDataLoss(const absl::Status& status) {
  if (IsWithoutFileBroker(status)) return status;
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
