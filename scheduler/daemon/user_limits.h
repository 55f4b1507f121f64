#ifndef HYDRA_SCHEDULER_DAEMON_USER_LIMITS_H_
#define HYDRA_SCHEDULER_DAEMON_USER_LIMITS_H_

#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/core/quota_options.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

// What the configuration says of users, who are named there, for the core,
// which knows them by their ids. Thread-safe. Expects defaults to be filled in.

// INVALID_ARGUMENT: one of its users cannot be found; says which, and in which
// field. UNAVAILABLE: whether there is one could not be looked up.
absl::StatusOr<ShareOptions> SharesOf(const config::v1::DaemonConfig& config);
absl::StatusOr<QuotaOptions> QuotasOf(const config::v1::DaemonConfig& config);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_USER_LIMITS_H_
