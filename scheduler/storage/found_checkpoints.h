#ifndef HYDRA_SCHEDULER_STORAGE_FOUND_CHECKPOINTS_H_
#define HYDRA_SCHEDULER_STORAGE_FOUND_CHECKPOINTS_H_

#include "common/ids/ids.h"
#include "scheduler/journal/recovered.h"

namespace hydra {

// Looks for the checkpoints of a job that has not ended, where it writes them,
// and brings what jobs.db says of them in line with what is there. Leftovers of
// killed processes are removed; nobody may be writing there.
//
// Those that are damaged, of another version or of another job are not used,
// and the job goes on from the one before. But a newer one that is recorded and
// cannot be seen is no reason to train its steps again: its record stays, and
// the job's `checkpoints_missing` says so.
//
// Blocks on the disk.
void FindCheckpoints(JobId id, RecoveredJob& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_FOUND_CHECKPOINTS_H_
