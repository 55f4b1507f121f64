#include "scheduler/submission/user_file.h"

#include "common/checkpoint/plain_file.h"
#include "common/file/private_places.h"

namespace hydra {

absl::StatusOr<UniqueFd> OpenUserFile(const std::string& path,
                                      const PathPolicy& paths) {
  if (absl::Status readable = paths.CheckReadableFile(path); !readable.ok()) {
    return readable;
  }
  return OpenJobFile(path, paths.access());
}

absl::StatusOr<std::string> ReadUserFile(const std::string& path,
                                         const PathPolicy& paths,
                                         int64_t max_bytes) {
  const absl::StatusOr<UniqueFd> fd = OpenUserFile(path, paths);
  if (!fd.ok()) return fd.status();
  return ReadPlainFile(*fd, path, max_bytes);
}

}  // namespace hydra
