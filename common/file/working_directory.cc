#include "common/file/working_directory.h"

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {

namespace fs = std::filesystem;

absl::StatusOr<std::string> WorkingDirectory() {
  std::error_code error;
  const fs::path directory = fs::current_path(error);
  if (!error) return directory.string();
  return absl::FailedPreconditionError(absl::StrCat(
      "the working directory cannot be used (", error.message(),
      "), was it removed? Go to another one, or give paths from the root"));
}

absl::StatusOr<std::string> AbsoluteFromHere(const std::string& path) {
  if (fs::path(path).is_absolute()) {
    return fs::path(path).lexically_normal().string();
  }
  const absl::StatusOr<std::string> directory = WorkingDirectory();
  if (!directory.ok()) return directory.status();
  return (fs::path(*directory) / path).lexically_normal().string();
}

}  // namespace hydra
