#ifndef HYDRA_SCHEDULER_DAEMON_POOL_OWNER_H_
#define HYDRA_SCHEDULER_DAEMON_POOL_OWNER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydra {

// Whose jobs a left pool holds. Several daemons of one user, each with a state
// directory of its own, may be told the same place for their pools. Pure.

// One side's word about a pool. Empty: it does not say.
struct PoolMark {
  // The pool's instance id.
  std::string instance;
  // The state directory of the jobs in it, absolute and without links.
  std::string state_dir;
};

enum class PoolOwner {
  // The jobs are this daemon's, and it may go on with them.
  kThisDaemon,
  // Nobody goes on with it any more.
  kNobody,
  // Another daemon, dead or alive, may go on with it.
  kAnother,
};

// `pool`: what the pool's journal says. `ours`: the newest pool that our
// jobs.db names, and our state directory. `other_jobs_exist`: whether there is
// a jobs.db in `pool.state_dir`, should that not be ours. A state directory
// that was moved takes its pool along, and a copy of one does not.
PoolOwner OwnerOf(const PoolMark& pool, const PoolMark& ours,
                  bool other_jobs_exist);

// Where a pool without a configured place may be, in the order in which a
// daemon of `uid` tries them: `last` first, if it is one of these names (the
// place of the newest pool of its jobs).
std::vector<std::string> DefaultPoolPaths(uid_t uid, absl::string_view last);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_POOL_OWNER_H_
