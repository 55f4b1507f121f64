#ifndef HYDRA_SCHEDULER_DAEMON_JOB_PATHS_H_
#define HYDRA_SCHEDULER_DAEMON_JOB_PATHS_H_

#include <string>
#include <vector>

#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/submission/path_policy.h"

// What jobs may read and write, as the configuration says. Pure functions.
namespace hydra {

// Below which a job's files must lie; none: anywhere.
std::vector<std::string> ReadRoots(const config::v1::DaemonConfig& config);

// `outputs`: where jobs' models go that name no folder.
PathPolicy PathsOf(const config::v1::DaemonConfig& config,
                   const std::string& outputs);

// What no job may read, whatever the read roots are. `config_path`: where the
// configuration was read from; empty: from nowhere.
std::vector<std::string> OwnFiles(const config::v1::DaemonConfig& config,
                                  const std::string& config_path);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_JOB_PATHS_H_
