#ifndef HYDRA_SCHEDULER_SERVICE_FILE_SENDER_H_
#define HYDRA_SCHEDULER_SERVICE_FILE_SENDER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/file/file_user.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Cuts the regular files of a directory into pieces and gives them to `send`,
// in order of their names, until it returns false. They are read as `user`.
// Links are left out: whoever may write into the directory could let them lead
// to what only this process may read. For the same reason no link is followed
// on the way to it.
//
// CANCELLED: `send` returned false.
// NOT_FOUND: the directory is gone, or a file that was in it a moment ago.
// FAILED_PRECONDITION: a part of the directory's path is a link, or no
//   directory.
// INVALID_ARGUMENT: a file became a link while others were sent.
// PERMISSION_DENIED: a file is hydrad's own, by another name.
// UNAVAILABLE: hydra-files does not answer.
// DATA_LOSS: a file became shorter while it was read, or the disk fails.
// Others: what the system said of a file.
absl::Status SendFiles(
    const std::string& directory, const FileUser& user,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_FILE_SENDER_H_
