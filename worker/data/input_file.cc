#include "worker/data/input_file.h"

#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"

namespace hydra {

absl::StatusOr<PosixFile> OpenInputFile(
    const std::string& path, const std::vector<std::string>& read_roots) {
  const std::filesystem::path whole(path);
  const std::string parent =
      whole.has_parent_path() ? whole.parent_path().string() : ".";
  const absl::StatusOr<UniqueFd> directory = OpenDirectory(parent);
  if (!directory.ok()) {
    return absl::Status(directory.status().code(),
                        absl::StrCat(path, ": ", directory.status().message()));
  }
  absl::StatusOr<UniqueFd> file = OpenRegularFileBelow(
      *directory, parent, whole.filename().string(), RealRoots(read_roots));
  if (!file.ok()) return file.status();
  return PosixFile(*std::move(file), path);
}

}  // namespace hydra
