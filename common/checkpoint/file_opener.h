#ifndef HYDRA_COMMON_CHECKPOINT_FILE_OPENER_H_
#define HYDRA_COMMON_CHECKPOINT_FILE_OPENER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/file/file_user.h"
#include "common/file/held_directory.h"

namespace hydra {

// Opens files of one checkpoint's directory for reading, and no others: a link
// that leads out of it is refused. Thread-safe; movable.
class FileOpener {
 public:
  // NOT_FOUND: there is no such directory.
  // DATA_LOSS: the disk cannot read it.
  // FAILED_PRECONDITION: a part of its path is a link, or no directory.
  static absl::StatusOr<FileOpener> Make(const std::string& directory,
                                         const FileUser& user = FileUser());

  // DATA_LOSS: the file is missing or not a regular one.
  // PERMISSION_DENIED: it really lies elsewhere, or may not be read.
  absl::StatusOr<UniqueFd> Open(const std::string& name) const;

  std::string PathOf(absl::string_view name) const {
    return directory_.PathOf(name);
  }

 private:
  FileOpener(HeldDirectory directory, FileAccess access);

  HeldDirectory directory_;
  FileAccess access_;
};

// The same error as DATA_LOSS if what it says is that a file that must be there
// is missing, malformed or on a failing disk; else `status`, such as where
// hydra-files is not there.
absl::Status AsDataLoss(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_FILE_OPENER_H_
