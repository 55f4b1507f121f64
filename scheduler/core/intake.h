#ifndef HYDRA_SCHEDULER_CORE_INTAKE_H_
#define HYDRA_SCHEDULER_CORE_INTAKE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/shared_models.h"
#include "scheduler/core/submission_ledger.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// Submissions on their way in: each gets its ids and goes to the journal; its
// jobs are made while the disk writes it, and come out, all together, when it
// is there. Knows them by their request keys. Not thread-safe; what it is given
// must outlive it.
class Intake {
 public:
  // `first_job`: the first one's id; those before were given out by earlier
  // daemons.
  Intake(uint64_t first_job, Journal* journal, SharedModels* models)
      : journal_(journal), models_(models), next_job_(first_job) {}

  // An earlier daemon had this sweep, and this job.
  void Restore(SweepId id, const journal::v1::SweepRecord& sweep);
  void Restore(JobId job);

  // The submission that a request was answered with.
  std::optional<Submission> SubmissionOf(const RequestKey& request) const {
    return requests_.Find(request);
  }
  // A new one, whose request was not seen before.
  Submission Take(std::vector<NewJob>&& jobs, const RequestKey& request,
                  absl::Time now);

  // Makes some of the jobs that were taken, some milliseconds' worth.
  void MakeSomeJobs();
  bool has_more_work() const { return unmade_jobs_ > 0; }

  struct Sweep {
    SweepId id;
    JobBook::Jobs jobs;
  };
  // Everything up to this sequence number is in jobs.db: the sweeps that come
  // in.
  std::vector<Sweep> Recorded(uint64_t sequence);
  // jobs.db has no room for this submission. What it was.
  struct RefusedJobs {
    Caller owner;
    int64_t jobs = 0;
  };
  RefusedJobs Refused(uint64_t sequence);

 private:
  // Taken, and not recorded yet.
  struct Entry {
    SweepId sweep;
    RequestKey request;
    absl::Time submitted_at;
    // The first job's id; the others' follow.
    JobId first;
    // What the jobs are made of; those that are made are moved from.
    std::vector<NewJob> submitted;
    JobBook::Jobs jobs;
  };
  // Up to `most` more of the submission's jobs.
  void MakeJobs(Entry& entry, size_t most);
  void FillJob(JobId id, const Entry& entry, NewJob submitted, Job& job);

  // Some 10 MB of request ids.
  static constexpr size_t kKeptRequests = 50'000;

  Journal* const journal_;
  SharedModels* const models_;
  SubmissionLedger requests_{kKeptRequests};
  // By sequence number.
  absl::btree_map<uint64_t, Entry> entries_;
  // Of all of them, what is not made into jobs yet.
  size_t unmade_jobs_ = 0;
  uint64_t next_job_;
  uint64_t next_sweep_ = 1;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_INTAKE_H_
