#ifndef HYDRA_SCHEDULER_CORE_HANDS_H_
#define HYDRA_SCHEDULER_CORE_HANDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "common/chain/task_chain.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/share_order.h"

namespace hydra {

// The tasks in the workers' hands: made with fresh slots for what they write,
// told to their workers, and taken out again, committed or not. A slot in a
// worker's hands is freed only when the worker has said that it dropped the
// task or is known to be dead. Not thread-safe; what it is given must outlive
// it.
class Hands {
 public:
  struct Parts {
    const CoreOptions* options = nullptr;
    JobBook* book = nullptr;
    BlockTable* blocks = nullptr;
    const Admission* admission = nullptr;
    Roster* roster = nullptr;
    Journal* journal = nullptr;
    Actions* actions = nullptr;
    ShareOrder* shares = nullptr;
  };
  // Numbers of tasks and contexts are above `last_number`.
  Hands(const Parts& parts, uint64_t last_number)
      : parts_(parts), last_task_(last_number), last_context_(last_number) {}

  // Tasks that a worker may hold, but for computed ones, and that admission
  // reckons with.
  size_t PromisedSize() const { return 1 + parts_.options->lookahead; }
  // All that it may hold, but for computed ones. A device with memory of its
  // own gets some more where the pool has room that nobody was promised: what
  // they read comes over a link, and one task is often too short for the next
  // one's blocks.
  size_t SizeOf(const WorkerRecord& worker) const {
    return PromisedSize() +
           (worker.device.has_own_memory ? kMostUnpromised : 0);
  }
  static constexpr size_t kMostUnpromised = 2;
  // A worker with so many tasks that it has computed and not written gets no
  // more.
  static constexpr size_t kMostComputed = 3;

  enum class Given {
    kYes,
    // The pool has no room for its writes now.
    kNoRoom,
    // None that nobody was promised, and the hand is as large as was promised.
    kNoSpareRoom,
  };
  // Puts the job's next task into the worker's hand, if there is room.
  Given HandOut(Job& job, WorkerRecord& worker, absl::Time now);
  // A task that an earlier daemon handed out; its writes are fresh versions.
  void Restore(Job& job, OutstandingTask task);

  // The job's tasks shall come back, if they have not begun.
  static void Withdraw(Job& job);
  // What is outstanding comes to nothing, since it follows on a failed task.
  static void Disown(Job& job);

  // The job's first task has ended, and says what it took, or does not. It
  // counts to the job's account, whatever comes of it.
  void Charge(const Job& job, const hydra::worker::v1::TaskCost& cost,
              absl::Time now);
  // The task's worker died of it or with it.
  void ChargeLost(const Job& job, const OutstandingTask& task, absl::Time now);

  // Takes out the job's first task, which is done: what it wrote is current,
  // and what it ends is gone.
  OutstandingTask Commit(Job& job);
  // Takes out the job's first task, which failed. Should another one follow on
  // it, that one holds its slots from now on: the worker may be running it, and
  // read what this one made.
  OutstandingTask TakeFailed(Job& job);
  // Takes out the job's tasks from `first` on: nobody runs or writes them any
  // more, and their slots are free.
  void Abandon(Job& job, size_t first);

  // The first task of its hand that is not computed: it has begun, or is about
  // to.
  std::optional<std::pair<JobId, TaskId>> FirstToCompute(
      const WorkerRecord& worker) const;
  size_t ComputedTasks(const WorkerRecord& worker) const;

  // Nothing more is handed out in this turn: notes whose devices have nothing
  // to do.
  void NoteIdle(absl::Time now);
  // Tells each worker that is there what changed for it.
  void TellWorkers();
  // The daemon stops: PREPARE, PILOT and INIT need not end.
  void BeginRest() { rests_ = true; }
  // Every worker should finish the task it has begun, and end.
  void Stop() { stopping_ = true; }
  // Nothing more may be handed out.
  bool resting() const { return rests_ || stopping_; }
  bool all_empty() const;

  // Kills workers whose tasks do not get on.
  void KillStuckTasks(absl::Time now);
  // The jobs in hands, each once, by their ids.
  std::vector<JobView> Jobs() const;

 private:
  std::optional<OutstandingTask> MakeTask(Job& job);
  // What the tasks in hands write that admission does not reckon with.
  int64_t UnpromisedBytes() const;
  bool HasSpareRoomFor(const Job& job) const;
  bool FitsBesideCheckpoint(const Job& job, const ChainTask& task) const;
  // The task is in no hand any more.
  void TakeOut(const Job& job, const OutstandingTask& task);
  void Release(const Job& job, const OutstandingTask& task);
  // Whether what a begun task makes is of no use.
  bool IsUnwanted(const Job& job, const OutstandingTask& task) const;
  hydra::worker::v1::JobContext ContextOf(const Job& job) const;
  std::string ContextContentOf(const Job& job) const;
  void AddContexts(WorkerRecord& worker, const absl::btree_set<JobId>& jobs,
                   hydra::worker::v1::DesiredState& desired);
  // Of a hand.
  const OutstandingTask& At(const std::pair<JobId, TaskId>& held) const;
  bool HasToCompute(const WorkerRecord& worker) const;
  DesiredKey DesiredKeyOf(const WorkerRecord& worker) const;
  hydra::worker::v1::DesiredState MakeDesired(WorkerRecord& worker);
  void TellWorker(WorkerRecord& worker);
  // How long the task may go without getting on.
  absl::Duration LongestTime(const Job& job, const OutstandingTask& task) const;
  void KillStuckTask(WorkerRecord& worker, absl::Time now);

  const Parts parts_;
  uint64_t last_task_;
  uint64_t last_context_;
  bool rests_ = false;
  bool stopping_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_HANDS_H_
