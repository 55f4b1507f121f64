#ifndef HYDRA_WORKER_DATA_INPUT_FILE_H_
#define HYDRA_WORKER_DATA_INPUT_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_access.h"
#include "worker/data/posix_file.h"

namespace hydra {

// Opens a file that a job names, for reading. It must really lie where `access`
// says. Judged is the file that is then read: whoever changes links after the
// job was submitted gains nothing. Thread-safe; waits for nobody.
//
// INVALID_ARGUMENT: not a regular file, but a FIFO, say.
// PERMISSION_DENIED: outside of the roots, or hydrad's own (see
//   common/file/private_places.h).
// NOT_FOUND and others: from the file system. Errors name the file.
absl::StatusOr<PosixFile> OpenInputFile(const std::string& path,
                                        const FileAccess& access);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_INPUT_FILE_H_
