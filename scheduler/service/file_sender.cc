#include "scheduler/service/file_sender.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/file_user.h"
#include "common/file/held_directory.h"
#include "common/file/private_places.h"

namespace hydra {
namespace {

constexpr int64_t kPieceBytes = 1 << 20;

absl::StatusOr<std::vector<std::string>> RegularFiles(
    const HeldDirectory& directory, const FileUser& user) {
  const absl::StatusOr<std::vector<std::string>> names = directory.Names();
  if (!names.ok()) return names;
  std::vector<std::string> regular;
  for (const std::string& name : *names) {
    const UniqueFd found =
        user.OpenAt(directory.fd().get(), name, O_PATH | O_NOFOLLOW);
    // Half of a model would look like a whole one.
    if (!found.is_open() && errno == ENOTCONN) {
      return FileError(errno,
                       absl::StrCat("cannot look at ", directory.PathOf(name)));
    }
    struct stat facts;
    if (found.is_open() && fstat(found.get(), &facts) == 0 &&
        S_ISREG(facts.st_mode)) {
      regular.push_back(name);
    }
  }
  return regular;
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
    const std::string& directory, const FileUser& user,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send) {
  const absl::StatusOr<HeldDirectory> folder =
      HeldDirectory::Open(directory, user);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<std::vector<std::string>> names =
      RegularFiles(*folder, user);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const std::string path = folder->PathOf(name);
    const absl::StatusOr<UniqueFd> file =
        OpenRegularFileIn(folder->fd(), directory, name, user);
    if (!file.ok()) return file.status();
    absl::Status status = CheckNoPrivateHardLink(*file, path);
    if (status.ok()) status = SendFile(*file, path, name, send);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hydra
