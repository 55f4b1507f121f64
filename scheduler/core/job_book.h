#ifndef HYDRA_SCHEDULER_CORE_JOB_BOOK_H_
#define HYDRA_SCHEDULER_CORE_JOB_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/change_log.h"
#include "scheduler/core/job.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// The jobs and sweeps that the daemon remembers, and who must hear of a job's
// changes: clients, the journal, its log. Decides nothing. Not thread-safe;
// what it is given must outlive it.
class JobBook {
 public:
  // Its nodes stay where they are: those of a sweep come in without a copy, and
  // references to jobs stay valid until they are erased.
  using Jobs = std::map<JobId, Job>;

  JobBook(Journal* journal, Actions* actions)
      : journal_(journal), actions_(actions) {}

  // Requires that the job is known.
  Job& At(JobId job);
  const Job& At(JobId job) const;
  // Null if unknown, or ended so long ago that only jobs.db knows it.
  const Job* Find(JobId job) const;
  Job* Find(JobId job);
  Jobs& all() { return jobs_; }
  const Jobs& all() const { return jobs_; }
  // The ids of a sweep's jobs, ascending; empty if the sweep is unknown or
  // forgotten.
  std::vector<JobId> JobsOf(SweepId sweep) const;
  bool Knows(SweepId sweep) const { return sweeps_.count(sweep) != 0; }
  // Newest sweep first.
  std::vector<SweepId> Sweeps() const;

  // A new sweep comes in, with all of its jobs.
  void Add(SweepId sweep, Jobs jobs);
  // A sweep of an earlier daemon; of its jobs, those that are here.
  void Restore(SweepId sweep, std::vector<JobId> jobs);
  // Makes an empty one for a job of an earlier daemon.
  Job& Restore(JobId job) { return jobs_[job]; }
  // One more of the sweep's jobs has ended. Whether that was the last one;
  // false for an unknown sweep, whose record a repaired jobs.db may lack.
  bool NoteEnded(SweepId sweep);
  // The sweep is unknown from now on. Its jobs, which are still to be erased.
  std::vector<JobId> Forget(SweepId sweep);
  // The job, which has ended, is unknown from now on, to clients too; so is its
  // sweep if it was the last one. Not while anybody holds a reference to it.
  void Delete(JobId job);
  // Not while anybody holds a reference to it. Nothing happens for an unknown
  // one.
  void Erase(JobId job) { jobs_.erase(job); }

  // Clients see the job changed.
  void Touch(const Job& job) { changes_.Note(job.id); }
  // So do they, and a restart needs what it is now.
  void NoteChange(const Job& job);
  // Writes a line into the job's log; `task`: which it is about.
  void Log(const Job& job, const char* severity, absl::string_view text,
           absl::Time now, const OutstandingTask* task = nullptr);

  // Tells whoever asks for traces; `worker`: none for what is about no device.
  void Trace(const Job& job, hydra::v1::DecisionKind kind, absl::Time now,
             WorkerId worker = {});

  // What clients see changed in these jobs, the oldest changes first, at most
  // `most` jobs; those that are unknown now are gone. And these sweeps are
  // forgotten. Each is told once.
  struct Changes {
    std::vector<JobId> jobs;
    std::vector<SweepId> forgotten;
    // ChangeLog::taken.
    uint64_t taken = 0;
  };
  Changes TakeChanges(size_t most);
  bool has_changes() const { return !changes_.empty(); }
  // ChangeLog::noted.
  uint64_t changes_noted() const { return changes_.noted(); }

 private:
  struct Sweep {
    // Ascending.
    std::vector<JobId> jobs;
    // Those that have not ended.
    int64_t open_jobs = 0;
  };

  Journal* const journal_;
  Actions* const actions_;
  Jobs jobs_;
  std::map<SweepId, Sweep> sweeps_;
  ChangeLog changes_;
  std::vector<SweepId> forgotten_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_BOOK_H_
