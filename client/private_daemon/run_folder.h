#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_RUN_FOLDER_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_RUN_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"

namespace hydra {

// Makes a new folder for one run below `parent`, which is made if need be:
// `name`, or `name`-2, `name`-3 ... where that is taken. However many do so at
// once, each gets one of its own.
//
// Errors: what the system said.
absl::StatusOr<std::string> MakeRunFolder(const std::string& parent,
                                          absl::string_view name);

// Removes a folder that MakeRunFolder made, with all that is in it, and the one
// around it if nothing else is there.
//
// Errors: what the system said.
absl::Status RemoveRunFolder(const std::string& folder);

// Makes `folder` if need be, and keeps other runs out of it for as long as the
// descriptor is open.
//
// UNAVAILABLE: another run uses it.
// Others: what the system said.
absl::StatusOr<UniqueFd> ClaimRunFolder(const std::string& folder);

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_RUN_FOLDER_H_
