#include "scheduler/service/user_file.h"

#include "absl/strings/str_cat.h"
#include "common/file/private_places.h"

namespace hydra {

absl::StatusOr<UniqueFd> OpenUserFile(const std::string& path,
                                      const PathPolicy& paths) {
  if (absl::Status readable = paths.CheckReadableFile(path); !readable.ok()) {
    return readable;
  }
  return OpenJobFile(path, paths.read_roots());
}

absl::StatusOr<std::string> ReadUserFile(const std::string& path,
                                         const PathPolicy& paths,
                                         int64_t max_bytes) {
  const absl::StatusOr<UniqueFd> fd = OpenUserFile(path, paths);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<int64_t> bytes = FileBytes(*fd, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has ", *bytes, " bytes; at most ", max_bytes, " are possible"));
  }
  std::string text(*bytes, '\0');
  const absl::Status read = ReadExactly(*fd, path, 0, text.size(), text.data());
  if (!read.ok()) return read;
  return text;
}

}  // namespace hydra
