#ifndef HYDRA_SCHEDULER_SERVICE_FILE_SENDER_H_
#define HYDRA_SCHEDULER_SERVICE_FILE_SENDER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Cuts the regular files of a directory into pieces and gives them to `send`,
// in order of their names, until it returns false.
//
// NOT_FOUND: the directory is gone.
// DATA_LOSS: a file became shorter while it was read.
absl::Status SendFiles(
    const std::string& directory,
    absl::FunctionRef<bool(const hydra::v1::DownloadResponse&)> send);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_FILE_SENDER_H_
