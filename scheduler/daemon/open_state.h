#ifndef HYDRA_SCHEDULER_DAEMON_OPEN_STATE_H_
#define HYDRA_SCHEDULER_DAEMON_OPEN_STATE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/daemon/daemon_state.h"

namespace hydra {

// Opens the journals and the pool. The state directory is this process's. Says
// in the log what was found. Of what an earlier daemon left
//
//  - pool.db's outbox is delivered if jobs.db names its pool as the newest one
//    of its jobs: then it is of this state directory, and nothing came after
//    it. That also holds after a power cut, where the pool may be an ordinary
//    file: pool.db was not synchronised, but each of its records has a
//    checksum, those that jobs.db has are known by their sequence numbers, and
//    each of the others was acknowledged and says all of one thing, whatever
//    else is lost.
//  - the pool is taken over if besides the machine was not started since (its
//    pages have no checksums, so some may be old), and the devices are the
//    same. If not, the processes that pool.db names are killed, if they are of
//    this start of the machine, and a new pool is made.
//  - a pool with the jobs of another daemon, dead or alive, is not touched
//    (pool_owner.h). Where no path is configured, the next default name serves.
//
// ALREADY_EXISTS: the pool holds the jobs of another daemon.
// DATA_LOSS: jobs.db is damaged; `hydrad recover` explains.
// FAILED_PRECONDITION: a journal is of another version; the file at the pool's
//   path is not a pool.
// RESOURCE_EXHAUSTED: the pool does not fit this machine, or the disk is full.
// Others: what the system said.
// After every error what an earlier daemon left is there for the next start,
// but for a pool that is of no use.
absl::StatusOr<DaemonState> OpenDaemonState(
    const config::v1::DaemonConfig& config);

// The pool's journal turned out to contradict itself: as if the pool had been
// lost. Workers are killed, and a new pool is made.
absl::Status StartWithNewPool(DaemonState& state);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_OPEN_STATE_H_
