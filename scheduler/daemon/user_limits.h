#ifndef HYDRA_SCHEDULER_DAEMON_USER_LIMITS_H_
#define HYDRA_SCHEDULER_DAEMON_USER_LIMITS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/core/quota_options.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

// What the configuration says of users, who are named there, for the core,
// which knows them by their ids. Thread-safe. Expects defaults to be filled in.

// A number is an id, whether there is such a user or not.
//
// NOT_FOUND: there is no user of this name.
// UNAVAILABLE: whether there is could not be looked up.
absl::StatusOr<uid_t> UserIdOf(const std::string& name);

// INVALID_ARGUMENT: one of its users cannot be found; says which, and in which
// field.
absl::StatusOr<ShareOptions> SharesOf(const config::v1::DaemonConfig& config);
absl::StatusOr<QuotaOptions> QuotasOf(const config::v1::DaemonConfig& config);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_USER_LIMITS_H_
