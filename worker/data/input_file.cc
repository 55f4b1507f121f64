#include "worker/data/input_file.h"

#include <utility>

#include "common/file/file.h"
#include "common/file/private_places.h"

namespace hydra {

absl::StatusOr<PosixFile> OpenInputFile(const std::string& path,
                                        const FileAccess& access) {
  absl::StatusOr<UniqueFd> file = OpenJobFile(path, access);
  if (!file.ok()) return file.status();
  return PosixFile(*std::move(file), path);
}

}  // namespace hydra
