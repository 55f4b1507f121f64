#ifndef HYDRA_SCHEDULER_CORE_JOB_ARCHIVE_H_
#define HYDRA_SCHEDULER_CORE_JOB_ARCHIVE_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "common/ids/ids.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// The jobs that have ended: they get smaller, and whole sweeps of them go, the
// oldest first, once jobs.db has their ends. Not thread-safe; what it is given
// must outlive it.
class JobArchive {
 public:
  JobArchive(const CoreOptions* options, JobBook* book, const Journal* journal)
      : options_(options), book_(book), journal_(journal) {}

  // The job has just ended: what it needs no more goes.
  void Add(Job& job);
  // One more job of the sweep has ended. Whether all of them have.
  bool NoteEnded(SweepId sweep);

  // Sweeps beyond what is kept are unknown from now on, but for one with the
  // job `in_use`. Not while anybody holds a reference to a job.
  void ForgetOldSweeps(JobId in_use);
  // Frees some of their jobs, some milliseconds' worth.
  void FreeSomeJobs();
  bool has_more_work() const { return !to_free_.empty(); }

 private:
  struct EndedSweep {
    SweepId id;
    // Also those that were deleted since: they count until it is its turn.
    int64_t jobs = 0;
    // jobs.db has its end when it has so much.
    uint64_t sequence = 0;
  };

  const CoreOptions* const options_;
  JobBook* const book_;
  const Journal* const journal_;
  // In the order of their ends, and how many jobs they have together.
  std::deque<EndedSweep> ended_sweeps_;
  int64_t ended_jobs_ = 0;
  // Jobs of sweeps that are gone.
  std::vector<JobId> to_free_;
  // Ended jobs that still have their steps, in the order of their ends.
  std::deque<JobId> with_steps_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_ARCHIVE_H_
