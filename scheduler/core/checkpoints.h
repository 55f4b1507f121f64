#ifndef HYDRA_SCHEDULER_CORE_CHECKPOINTS_H_
#define HYDRA_SCHEDULER_CORE_CHECKPOINTS_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/chain/task_chain.h"
#include "common/ids/ids.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/writer_queue.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// The checkpoints of all jobs, and the one writer of them: whose turn it is,
// who stands still for it, and which older ones go. A job that may go on when
// its wait is over is woken in the queue. Not thread-safe; what it is given
// must outlive it.
class Checkpoints {
 public:
  Checkpoints(const CoreOptions* options, JobBook* book, JobQueue* queue,
              BlockTable* blocks, Journal* journal, Actions* actions)
      : options_(options),
        book_(book),
        queue_(queue),
        blocks_(blocks),
        journal_(journal),
        actions_(actions) {}

  // The job has come to the end of a step: it is saved if that is due.
  void EndOfStep(Job& job, absl::Time now);
  // Whether the job, whose last task out ends a step, gets no task of the next
  // one, since it may have to stand still between them.
  bool HoldsBeforeStep(const Job& job, const ChainPosition& next,
                       absl::Time now) const;
  // Whether the job stands still until the writer is free.
  bool Holds(JobId job) const { return writer_queue_.contains(job); }
  // Saves the job, of which nothing is outstanding, where it is: now, or as
  // soon as the writer is free.
  void Save(Job& job, absl::Time now);
  // The job does not wait for the writer any more.
  void Leave(JobId job) { writer_queue_.Leave(job); }

  // Outcomes of a CheckpointRequest. Blocks come in order.
  void BlockWritten(JobId job, size_t index);
  // With the bytes that it takes on the disk. Wakes the job if nothing of it is
  // outstanding.
  void Written(JobId job, const absl::StatusOr<int64_t>& bytes, absl::Time now);
  // The disk may stand still for ever: then those that would only be saved go
  // on.
  void LeaveStuckWriter(absl::Time now);

  // Whether the newest checkpoint, or the job's submission, is all that it
  // takes to go on from where the job is.
  static bool IsSaved(const Job& job);
  void Remove(Job& job, size_t index);
  void RemoveAll(Job& job);

  bool free() const { return writing_ == JobId(); }
  // The job whose checkpoint is being written; 0: none.
  JobId writing() const { return writing_; }
  bool nobody_waits() const { return writer_queue_.empty(); }

  // While the daemon stops: saves one job after the other that needs it, of
  // which nothing is outstanding.
  void SaveForStop(absl::Time now);
  // Whether SaveForStop has nothing to do, and nothing is being written.
  bool all_saved_for_stop() const;

 private:
  bool MustNotMissTheWriter(const Job& job, absl::Time due,
                            absl::Time end) const;
  void OfferWriter(absl::Time now);
  void Begin(Job& job, absl::Time now);
  void Keep(Job& job, CheckpointRun run, int64_t bytes);
  void RemoveOld(Job& job);
  // Null: none.
  const Job* NextToSave() const;

  const CoreOptions* const options_;
  JobBook* const book_;
  JobQueue* const queue_;
  BlockTable* const blocks_;
  Journal* const journal_;
  Actions* const actions_;
  // Those that wait for the writer; empty while it is free.
  WriterQueue writer_queue_;
  JobId writing_;
  absl::Time writing_since_ = absl::InfinitePast();
  // What the newest one took.
  absl::Duration last_write_;
  // Whose checkpoints could not be written while the daemon stops.
  absl::flat_hash_set<JobId> unsaved_;
  bool stopping_ = false;
};

// Whether every job that has not ended can go on without the pool and lose
// nothing.
bool AllSaved(const JobBook& book);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CHECKPOINTS_H_
