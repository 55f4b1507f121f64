#ifndef HYDRA_SCHEDULER_DAEMON_LEFT_POOL_H_
#define HYDRA_SCHEDULER_DAEMON_LEFT_POOL_H_

#include <string>

#include "absl/status/status.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/daemon/daemon_state.h"

// The pool at the configured path and its journal: whose an earlier one is,
// whether it can be taken over, and how a new one is made. `state` has its
// configuration and jobs.db.
namespace hydra {

// What is known of a pool that an earlier daemon left.
struct LeftPool {
  bool exists = false;
  // The processes that its journal names are the ones that it means.
  bool is_of_this_boot = false;
  // Why it is not taken over; OK: it is.
  absl::Status adopted = absl::NotFoundError("no daemon left one");
};

// Takes over the pool that an earlier daemon left, if there is one: opens its
// journal, brings what is on its way to jobs.db there, and opens the pool.
// `left.adopted` says what speaks against it. Errors: as OpenDaemonState; after
// one everything is as it was.
absl::Status OpenLeftPool(DaemonState& state, LeftPool& left);

// A damaged pool.db is given up. Any other error may be gone the next time, and
// the daemon must not go on, since it would remove what is there.
absl::Status GiveUpIfDamaged(const absl::Status& error, LeftPool& left);

// From now on the pool is the one of these jobs. It is noted in jobs.db first:
// a pool that jobs.db does not name is not believed.
absl::Status BindPool(DaemonState& state);

// Makes a new pool and its journal in place of what is there.
absl::Status MakePool(DaemonState& state);

// The state directory without links, so that two names of one directory are the
// same.
std::string RealStateDir(const config::v1::DaemonConfig& config);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_LEFT_POOL_H_
