#ifndef HYDRA_SCHEDULER_DAEMON_ACCESS_RULES_H_
#define HYDRA_SCHEDULER_DAEMON_ACCESS_RULES_H_

#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/service/access.h"

namespace hydra {

// Who may do what, by the configuration and the machine's accounts. Operators
// are root and this process's user in any case. Looks accounts up.
//
// INVALID_ARGUMENT: a user or group that the configuration names is not there.
// UNAVAILABLE: nobody can tell now.
absl::StatusOr<AccessPolicy> AccessOf(const config::v1::DaemonConfig& config);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_ACCESS_RULES_H_
