#include "scheduler/service/path_policy.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// With every link followed; what does not exist yet is kept as it is. Empty,
// which is below no root, if it cannot be told.
std::string Real(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? "" : real.string();
}

std::vector<std::string> RealRoots(const std::vector<std::string>& roots) {
  std::vector<std::string> real;
  for (const std::string& root : roots) real.push_back(Real(root));
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

}  // namespace

PathPolicy::PathPolicy(std::vector<std::string> read_roots,
                       std::vector<std::string> output_roots)
    : read_roots_(RealRoots(read_roots)),
      output_roots_(RealRoots(output_roots)) {}

absl::StatusOr<std::string> PathPolicy::Readable(
    const std::string& path) const {
  const std::string real = Real(path);
  if (!read_roots_.empty() && !BelowAny(real, read_roots_)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is outside of what this server reads: ",
                     absl::StrJoin(read_roots_, ", ")));
  }
  std::error_code error;
  if (!fs::exists(real, error)) {
    return absl::NotFoundError(absl::StrCat(path, " does not exist"));
  }
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

absl::Status PathPolicy::CheckOutputDirectory(const std::string& path) const {
  const std::string real = Real(path);
  if (!BelowAny(real, output_roots_)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is outside of where this server writes: ",
                     absl::StrJoin(output_roots_, ", ")));
  }
  std::error_code error;
  fs::create_directories(real, error);
  if (error || access(real.c_str(), W_OK | X_OK) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the server cannot write to ", path,
                     error ? ": " + error.message() : ""));
  }
  return absl::OkStatus();
}

}  // namespace hydra
