#ifndef HYDRA_SCHEDULER_JOURNAL_RECOVERY_H_
#define HYDRA_SCHEDULER_JOURNAL_RECOVERY_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/recovered.h"

namespace hydra {

// What a starting daemon reads from the journals of an earlier one. Errors are
// the store's; DATA_LOSS also for a record that is no message of its table.

// Jobs and sweeps. Steps of jobs that have ended are left where they are, and
// so are the jobs of the oldest sweeps that have ended as a whole, if
// `kept_ended_jobs` newer ones have: memory is for what is kept, not for all
// that the disk has.
//
// DATA_LOSS also: a job has progress and no submission. Other records without a
// submission are not noticed; `hydrad recover` finds them.
absl::StatusOr<Recovered> ReadJobs(
    const RecordStore& jobs,
    int64_t kept_ended_jobs = std::numeric_limits<int64_t>::max());

// One job, with its newest steps or none. NOT_FOUND: there is none.
absl::StatusOr<RecoveredJob> ReadJob(const RecordStore& jobs, JobId id,
                                     bool with_steps);
// What was submitted of it alone. NOT_FOUND: there is none.
absl::StatusOr<journal::v1::SubmittedJob> ReadSubmitted(const RecordStore& jobs,
                                                        JobId id);
// NOT_FOUND: there is no such sweep.
absl::StatusOr<journal::v1::SweepRecord> ReadSweep(const RecordStore& jobs,
                                                   SweepId id);

// Whether a job of some sweep was removed by its user.
absl::StatusOr<bool> WasDeleted(const RecordStore& jobs, JobId id);
// All such jobs.
absl::StatusOr<absl::flat_hash_set<JobId>> ReadDeletedJobs(
    const RecordStore& jobs);

// Adds what the pool holds. Of jobs that `recovered` does not know, nothing.
absl::Status ReadPool(const RecordStore& pool, Recovered& recovered);
// Its workers alone.
absl::Status ReadWorkers(const RecordStore& pool, Recovered& recovered);

// Takes out what the pool holds, as if it had been lost.
void DropPool(Recovered& recovered);

// Makes the job's checkpoints those that are on the disk: a crash may have come
// between the one and the other.
void UseCheckpoints(const std::vector<journal::v1::CheckpointRecord>& on_disk,
                    RecoveredJob& job);

// Brings what was on its way into jobs.db, each change once, and empties the
// outbox. Changes of jobs without a submission are dropped: `hydrad recover`
// has dropped the jobs. The newest sequence number that any daemon gave out is
// the result.
absl::StatusOr<uint64_t> DeliverOutbox(RecordStore& pool, RecordStore& jobs);

// A decimal number of a meta table; 0 if it is not there.
absl::StatusOr<uint64_t> ReadNumber(const RecordStore& store, int table,
                                    int64_t number);
absl::Status WriteNumber(RecordStore& store, int table, int64_t number,
                         uint64_t value);
// A text of a meta table; empty if it is not there.
absl::StatusOr<std::string> ReadText(const RecordStore& store, int table,
                                     int64_t number);

// The worker's process is gone, and so is its hand.
absl::Status ForgetWorker(WorkerId worker, RecordStore& pool,
                          Recovered& recovered);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_RECOVERY_H_
