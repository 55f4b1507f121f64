#ifndef HYDRA_SCHEDULER_DAEMON_RELOADED_CONFIG_H_
#define HYDRA_SCHEDULER_DAEMON_RELOADED_CONFIG_H_

#include <string>
#include <vector>

#include "hydra/config/v1/daemon.pb.h"

namespace hydra {

// What a daemon that runs takes of another configuration: `running` with who
// may do what (allow, operators, private_jobs), the weights of shares.users and
// quotas of `next`. Pure.
config::v1::DaemonConfig ReloadedConfig(const config::v1::DaemonConfig& running,
                                        const config::v1::DaemonConfig& next);

// The fields that differ, by their names in the file: "pool.size_bytes". Pure.
std::vector<std::string> DifferingFields(const config::v1::DaemonConfig& a,
                                         const config::v1::DaemonConfig& b);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_RELOADED_CONFIG_H_
