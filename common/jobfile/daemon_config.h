#ifndef HYDRA_COMMON_JOBFILE_DAEMON_CONFIG_H_
#define HYDRA_COMMON_JOBFILE_DAEMON_CONFIG_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/mistakes.h"
#include "hydra/config/v1/daemon.pb.h"

// hydrad's configuration, from a file and from flags. Pure.
//
// Flags go between reading and filling in: SetValueAt (field_value.h) sets a
// field by its path.
namespace hydra {

inline constexpr int64_t kMinDeviceBytes = int64_t{16} << 20;
inline constexpr int64_t kMinPoolBytes = int64_t{64} << 20;

// Reads the file, fills in defaults, and checks the result.
//
// INVALID_ARGUMENT: all mistakes at once, see MistakesOf.
absl::StatusOr<config::v1::DaemonConfig> ParseDaemonConfig(
    absl::string_view text);

// Reads the file alone; what was right in it is in the answer.
config::v1::DaemonConfig ReadDaemonConfig(absl::string_view text,
                                          Mistakes* mistakes);

// Fills in every default but worker_binary, which the program knows, and
// pool.path, which depends on the pools that are there (pool_owner.h).
void FillDefaults(config::v1::DaemonConfig* config);

// Adds everything that is wrong whatever the machine looks like; expects
// defaults to be filled in. Where paths lead to, and whether memory is there,
// is not checked.
void CheckDaemonConfig(const config::v1::DaemonConfig& config,
                       Mistakes* mistakes);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_DAEMON_CONFIG_H_
