#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_DAEMON_CONFIG_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_DAEMON_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

inline constexpr int64_t kDefaultDeviceBytes = int64_t{1} << 30;
inline constexpr int64_t kDefaultPoolBytes = int64_t{8} << 30;
inline constexpr int kDefaultThreads = 1;

// What a private daemon shall be like. What is not set comes from the user's
// configuration file, and what that does not say from the defaults above and
// two devices, cpu:0 and cpu:1.
struct DaemonOverrides {
  // Always set: the private daemon's own.
  std::string unix_socket;
  std::string state_dir;
  // Where the pool is when nobody says anything about it.
  std::string default_pool_path;

  // As flags name them, see ParseDeviceFlags.
  std::vector<std::string> devices;
  // Of devices that `devices` does not say it of.
  std::optional<int64_t> device_memory_bytes;
  std::optional<int> threads;
  std::optional<int64_t> pool_bytes;
  std::string pool_path;
};

// The text of a daemon's configuration file (hydra.config.v1.DaemonConfig, as
// JSON, which is YAML too). `base` is the user's file or empty. Whatever it
// says, the private daemon opens no TCP port, and writes no checkpoints when it
// is told to stop. Pure.
//
// INVALID_ARGUMENT: `base` is no YAML, or has no map where the fields that are
// changed here need one; or `devices` names none. The daemon itself checks the
// rest.
absl::StatusOr<std::string> MakeDaemonConfig(absl::string_view base,
                                             const DaemonOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_DAEMON_CONFIG_H_
