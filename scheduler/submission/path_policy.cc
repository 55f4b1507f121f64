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

// Of a path and the folders above it, the nearest that is there.
struct Nearest {
  UniqueFd folder;
  // Where it really is, and what of the path is not there.
  std::string real;
  fs::path missing;
};

absl::StatusOr<Nearest> NearestExisting(const FileUser& user,
                                        const fs::path& path) {
  Nearest nearest;
  for (fs::path above = path.has_filename() ? path : path.parent_path();;
       above = above.parent_path()) {
    nearest.folder = user.Open(above, O_PATH);
    if (nearest.folder.is_open()) break;
    if ((errno != ENOENT && errno != ENOTDIR) || !above.has_relative_path()) {
      return FileError(errno, absl::StrCat("cannot look at ", above.string()));
    }
    nearest.missing = nearest.missing.empty()
                          ? above.filename()
                          : above.filename() / nearest.missing;
  }
  absl::StatusOr<std::string> real = RealPath(nearest.folder);
  if (!real.ok()) return real.status();
  nearest.real = *std::move(real);
  // What leads back from what is not there may lead to what is.
  if (std::find(nearest.missing.begin(), nearest.missing.end(), "..") !=
      nearest.missing.end()) {
    return NearestExisting(user,
                           (nearest.real / nearest.missing).lexically_normal());
  }
  nearest.missing = nearest.missing.lexically_normal();
  if (!nearest.missing.has_filename()) {
    nearest.missing = nearest.missing.parent_path();
  }
  if (nearest.missing == ".") nearest.missing.clear();
  return nearest;
}

// Whether hydra-files says so, and not the system of the file.
bool IsOfTheBroker(int error) { return error == ENOTCONN || error == ESRCH; }

mode_t ModeOf(const UniqueFd& file) {
  struct stat facts = {};
  return fstat(file.get(), &facts) == 0 ? facts.st_mode : 0;
}

}  // namespace

PathPolicy::PathPolicy(const std::vector<std::string>& read_roots,
                       const std::vector<std::string>& output_roots,
                       const std::string& default_output_dir)
    : output_roots_(FollowedRoots(output_roots)),
      default_output_dir_(
          default_output_dir.empty() ? "" : Real(default_output_dir)) {
  if (!read_roots.empty()) access_.real_roots = FollowedRoots(read_roots);
}

PathPolicy PathPolicy::For(FileUser user) const {
  PathPolicy policy = *this;
  policy.access_.user = std::move(user);
  return policy;
}

absl::Status PathPolicy::CheckRoots(const std::string& path,
                                    const std::string& real) const {
  if (BelowAny(real, access_.real_roots)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(path, " is outside of what this server reads: ",
                   absl::StrJoin(access_.real_roots, ", ")));
}

absl::StatusOr<UniqueFd> PathPolicy::Find(const std::string& path) const {
  UniqueFd found = access_.user.Open(path, O_PATH);
  if (!found.is_open()) {
    const int error = errno;
    if (!access_.user.is_own()) {
      // What the system would tell him, too.
      if (error == EACCES) return NotReadable(path);
      if (error == ENOENT || error == ENOTDIR) {
        return absl::NotFoundError(absl::StrCat(path, " does not exist"));
      }
      return FileError(error, absl::StrCat("cannot look at ", path));
    }
    // Of what is elsewhere nothing is told, not even whether it is there.
    const std::string real = Real(path);
    if (real.empty()) {
      return absl::NotFoundError(absl::StrCat(path, " cannot be followed"));
    }
    if (absl::Status in = CheckRoots(path, real); !in.ok()) return in;
    if (error == ENOENT || error == ENOTDIR) {
      return absl::NotFoundError(absl::StrCat(path, " does not exist"));
    }
    return FileError(error, absl::StrCat("cannot look at ", path));
  }
  const absl::StatusOr<std::string> real = RealPath(found);
  if (!real.ok()) return real.status();
  if (absl::Status in = CheckRoots(path, *real); !in.ok()) return in;
  if (absl::Status own = CheckNotPrivate(found, path); !own.ok()) return own;
  return found;
}

absl::Status PathPolicy::CheckOpens(const UniqueFd& found, int flags,
                                    const std::string& path) const {
  if (access_.user.Reopen(found.get(), O_RDONLY | flags).is_open()) {
    return absl::OkStatus();
  }
  if (IsOfTheBroker(errno)) {
    return FileError(errno, absl::StrCat("cannot open ", path));
  }
  return NotReadable(path);
}

absl::Status PathPolicy::NotReadable(const std::string& path) const {
  return absl::PermissionDeniedError(absl::StrCat(
      path, access_.user.is_own() ? " is not readable for the server"
                                  : " is not readable for you"));
}

absl::Status PathPolicy::CheckReadableFile(const std::string& path) const {
  const absl::StatusOr<UniqueFd> found = Find(path);
  if (!found.ok()) return found.status();
  if (!S_ISREG(ModeOf(*found))) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a file"));
  }
  if (absl::Status opens = CheckOpens(*found, 0, path); !opens.ok()) {
    return opens;
  }
  const absl::StatusOr<int64_t> bytes = FileBytes(*found, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
}

absl::Status PathPolicy::CheckReadableDirectory(const std::string& path) const {
  const absl::StatusOr<UniqueFd> found = Find(path);
  if (!found.ok()) return found.status();
  if (S_ISDIR(ModeOf(*found))) return CheckOpens(*found, O_DIRECTORY, path);
  return absl::InvalidArgumentError(absl::StrCat(path, " is not a directory"));
}

absl::StatusOr<std::string> PathPolicy::OutputDirectory(
    const std::string& path) const {
  const bool is_default =
      !default_output_dir_.empty() && Real(path) == default_output_dir_;
  // Hydrad's own folder is hydrad's to write in: that one, wherever links of
  // `path` lead by now.
  const FileUser user = is_default ? FileUser() : access_.user;
  const absl::StatusOr<Nearest> nearest =
      NearestExisting(user, is_default ? default_output_dir_ : path);
  if (!nearest.ok()) return nearest.status();
  const std::string real =
      nearest->missing.empty()
          ? nearest->real
          : (nearest->real / nearest->missing).lexically_normal().string();
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
  const char* const who = user.is_own() ? "the server" : "you";
  if (!S_ISDIR(ModeOf(nearest->folder))) {
    return absl::PermissionDeniedError(absl::StrCat(who, " cannot write to ",
                                                    path, ": ", nearest->real,
                                                    " is not a directory"));
  }
  if (user.Access(nearest->folder.get(), W_OK | X_OK) != 0) {
    if (IsOfTheBroker(errno)) {
      return FileError(errno, absl::StrCat("cannot look at ", nearest->real));
    }
    return absl::PermissionDeniedError(
        absl::StrCat(who, " cannot write to ", path, ": ", nearest->real,
                     " is not writable for ", user.is_own() ? "it" : "you"));
  }
  return real;
}

std::string PathPolicy::OutputWarning(const std::string& path) const {
  if (path == default_output_dir_) return "";
  const absl::StatusOr<Nearest> nearest = NearestExisting(access_.user, path);
  if (!nearest.ok()) return "";
  const mode_t mode = ModeOf(nearest->folder);
  constexpr mode_t kWritableForOthers = S_IWGRP | S_IWOTH;
  if ((mode & kWritableForOthers) == 0 || (mode & S_ISVTX) != 0) {
    return "";
  }
  return absl::StrFormat(
      "%s has mode %04o: everyone who may write there can rename and replace "
      "the folders of jobs in it; \"chmod +t %s\" leaves that to each folder's "
      "owner",
      nearest->real, static_cast<uint32_t>(mode & 07777), nearest->real);
}

}  // namespace hydra
