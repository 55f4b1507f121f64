#ifndef HYDRA_SCHEDULER_RUNTIME_READ_MODEL_H_
#define HYDRA_SCHEDULER_RUNTIME_READ_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/core.h"
#include "scheduler/core/detail_parts.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/runtime/job_meter.h"

namespace hydra {

// What clients see of jobs and workers, so that no list and no watcher takes
// time of the thread that decides: it writes here what changed, and whoever
// asks reads here, a piece at a time.
//
// It shows what is recorded, and what happened in a turn of the core some turns
// later if very many jobs changed in it: see Settle. Thread-safe.
class ReadModel {
 public:
  // One state of a job; it never changes.
  struct Entry {
    JobId job;
    SweepId sweep;
    // As Job's.
    Caller owner;
    std::optional<gid_t> project_group;
    hydra::v1::JobState state = hydra::v1::JOB_STATE_UNSPECIFIED;
    bool ended = false;
    // The server has paused it: its reason says why.
    bool is_held = false;
    // Higher than those of all that was written before; that of the entry
    // before, if the status is the same.
    uint64_t revision = 0;
    // That of the first of its entries in a row with this state.
    uint64_t state_revision = 0;
    // A hydra.v1.JobStatus, serialized: fifty thousand of them should fit.
    std::string status;
    // Null: as of a job that has not begun.
    std::shared_ptr<const DetailParts> parts;
    // Of the parts, jobs.db alone has all of the steps and of the partition.
    bool summary_only = false;
    // What forecasts know of it. Null: it ended or is paused, or will be.
    std::shared_ptr<const QueuedJob> queued;
    // What is counted of it.
    JobMeter::Seen seen;

    hydra::v1::JobStatus Status() const;
  };
  using EntryPtr = std::shared_ptr<const Entry>;

  // Whoever reads gets at most so many entries at a time.
  static constexpr size_t kMostEntries = 500;

  // Takes the core's changes, or the oldest ones of very many. On the core's
  // thread, at the end of a turn that is recorded.
  void Update(Core& core, absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  // Returns once all changes up to Core::changes_noted() = `noted` are written.
  // False: they were not for so long.
  bool Settle(uint64_t noted, absl::Duration patience) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Null: it is not known, or forgotten.
  EntryPtr Find(JobId job) const ABSL_LOCKS_EXCLUDED(mu_);
  // Ascending; empty if it is not known, or forgotten.
  std::vector<JobId> JobsOf(SweepId sweep) const ABSL_LOCKS_EXCLUDED(mu_);
  struct SweepState {
    bool known = false;
    bool all_ended = false;
  };
  SweepState StateOf(SweepId sweep) const ABSL_LOCKS_EXCLUDED(mu_);

  // The place of a job in lists, which show the newest sweep first, and its
  // jobs in their order.
  struct Place {
    SweepId sweep;
    JobId job;
  };
  // The jobs that come after `place`, those of `only` alone if it is there; the
  // first ones for no place. Fewer than kMostEntries: there are no more.
  std::vector<EntryPtr> After(const std::optional<Place>& place,
                              std::optional<SweepId> only) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // The newest entry's revision.
  uint64_t revision() const ABSL_LOCKS_EXCLUDED(mu_);
  // The jobs that changed after that revision, each in its newest state, by
  // revision. Fewer than kMostEntries: there are no more.
  std::vector<EntryPtr> ChangedAfter(uint64_t revision) const
      ABSL_LOCKS_EXCLUDED(mu_);

  struct Workers {
    // Another one when anything about them changed.
    uint64_t revision = 0;
    std::shared_ptr<const std::vector<hydra::v1::WorkerStatus>> statuses;
  };
  Workers workers() const ABSL_LOCKS_EXCLUDED(mu_);
  struct Pool {
    int64_t used_bytes = 0;
    int64_t reserved_bytes = 0;
  };
  Pool pool() const ABSL_LOCKS_EXCLUDED(mu_);
  // As Core's.
  std::optional<std::string> maintenance() const ABSL_LOCKS_EXCLUDED(mu_);
  // Of all jobs that it has, and had since it was made.
  JobMeter job_meter() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Sweep {
    // Ascending; of a new sweep of thousands not yet all.
    std::vector<JobId> jobs;
    // Those that have not ended, of all that the core has.
    int64_t open_jobs = 0;
  };

  // Whether anything about them changed since the last call. They stay as they
  // are.
  bool NoteWorkers(std::vector<hydra::v1::WorkerStatus>& workers);
  void Write(const Core& core, EntryPtr entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(SweepId sweep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The core has it no more. Nothing happens for an unknown one.
  void Remove(JobId job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  absl::btree_map<JobId, EntryPtr> jobs_ ABSL_GUARDED_BY(mu_);
  absl::btree_map<uint64_t, JobId> by_revision_ ABSL_GUARDED_BY(mu_);
  absl::btree_map<SweepId, Sweep> sweeps_ ABSL_GUARDED_BY(mu_);
  uint64_t last_revision_ ABSL_GUARDED_BY(mu_) = 0;
  Workers workers_ ABSL_GUARDED_BY(mu_){
      0, std::make_shared<const std::vector<hydra::v1::WorkerStatus>>()};
  Pool pool_ ABSL_GUARDED_BY(mu_);
  std::optional<std::string> maintenance_ ABSL_GUARDED_BY(mu_);
  JobMeter job_meter_ ABSL_GUARDED_BY(mu_);
  uint64_t settled_ ABSL_GUARDED_BY(mu_) = 0;
  // The writer's own: the workers' statuses, serialized, and room for the next
  // ones, so that a turn allocates nothing for them.
  std::string written_before_;
  std::string written_now_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_READ_MODEL_H_
