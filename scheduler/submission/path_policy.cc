#include "scheduler/submission/path_policy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/file/file.h"
#include "common/file/private_places.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// With every link followed; what does not exist yet is kept as it is. Empty if
// it cannot be told.
std::string Real(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? "" : real.string();
}

// Without those of which it cannot be told where they lead.
std::vector<std::string> FollowedRoots(const std::vector<std::string>& roots) {
  std::vector<std::string> real;
  for (const std::string& root : roots) {
    real.push_back(Real(root));
    if (real.back().empty()) {
      LOG(WARNING) << "nothing is allowed below " << root
                   << ", which cannot be followed";
      real.pop_back();
    }
  }
  return real;
}

bool Below(const fs::path& path, const fs::path& root) {
  const auto end =
      std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end.first == root.end() || end.first->empty();
}

bool BelowAny(const std::string& path, const std::vector<std::string>& roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
    return Below(path, root);
  });
}

// Of `path` and the folders above it, the first that is there.
fs::path NearestExisting(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path.has_relative_path()) {
    path = path.parent_path();
  }
  return path;
}

}  // namespace

PathPolicy::PathPolicy(const std::vector<std::string>& read_roots,
                       const std::vector<std::string>& output_roots,
                       const std::string& default_output_dir)
    : read_roots_(read_roots.empty() ? std::vector<std::string>{"/"}
                                     : FollowedRoots(read_roots)),
      output_roots_(FollowedRoots(output_roots)),
      default_output_dir_(
          default_output_dir.empty() ? "" : Real(default_output_dir)) {}

absl::StatusOr<std::string> PathPolicy::Readable(
    const std::string& path) const {
  const std::string real = Real(path);
  if (real.empty()) {
    return absl::NotFoundError(absl::StrCat(path, " cannot be followed"));
  }
  if (!BelowAny(real, read_roots_)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is outside of what this server reads: ",
                     absl::StrJoin(read_roots_, ", ")));
  }
  const UniqueFd found(open(real.c_str(), O_PATH | O_CLOEXEC));
  if (!found.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return absl::NotFoundError(absl::StrCat(path, " does not exist"));
    }
    return FileError(errno, absl::StrCat("cannot look at ", path));
  }
  if (absl::Status own = CheckNotPrivate(found, path); !own.ok()) return own;
  if (access(real.c_str(), R_OK) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is not readable for the server"));
  }
  return real;
}

absl::Status PathPolicy::CheckReadableFile(const std::string& path) const {
  const absl::StatusOr<std::string> real = Readable(path);
  if (!real.ok()) return real.status();
  std::error_code error;
  if (!fs::is_regular_file(*real, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a file"));
  }
  if (fs::file_size(*real, error) == 0) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  }
  return absl::OkStatus();
}

absl::Status PathPolicy::CheckReadableDirectory(const std::string& path) const {
  const absl::StatusOr<std::string> real = Readable(path);
  if (!real.ok()) return real.status();
  std::error_code error;
  if (!fs::is_directory(*real, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a directory"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PathPolicy::OutputDirectory(
    const std::string& path) const {
  const std::string real = Real(path);
  const bool is_default =
      !default_output_dir_.empty() && real == default_output_dir_;
  if (!is_default && !BelowAny(real, output_roots_)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is outside of where this server writes: ",
                     absl::StrJoin(output_roots_, ", "),
                     output_roots_.empty() ? "" : ", ", default_output_dir_));
  }
  if (!is_default && IsPrivatePath(real)) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " is hydrad's own: below its state directory jobs write to ",
        default_output_dir_, " alone, each in a folder that hydrad names"));
  }
  const fs::path existing = NearestExisting(real);
  std::error_code error;
  if (!fs::is_directory(existing, error)) {
    return absl::PermissionDeniedError(
        absl::StrCat("the server cannot write to ", path, ": ",
                     existing.string(), " is not a directory"));
  }
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the server cannot write to ", path, ": ",
                     existing.string(), " is not writable for it"));
  }
  return real;
}

std::string PathPolicy::OutputWarning(const std::string& path) const {
  if (path == default_output_dir_) return "";
  const std::string folder = NearestExisting(path);
  struct stat found;
  if (stat(folder.c_str(), &found) != 0) return "";
  constexpr mode_t kWritableForOthers = S_IWGRP | S_IWOTH;
  if ((found.st_mode & kWritableForOthers) == 0 ||
      (found.st_mode & S_ISVTX) != 0) {
    return "";
  }
  return absl::StrFormat(
      "%s has mode %04o: everyone who may write there can rename and replace "
      "the folders of jobs in it; \"chmod +t %s\" leaves that to each folder's "
      "owner",
      folder, static_cast<uint32_t>(found.st_mode & 07777), folder);
}

}  // namespace hydra
