#ifndef HYDRA_SCHEDULER_JOURNAL_MEMORY_JOURNAL_H_
#define HYDRA_SCHEDULER_JOURNAL_MEMORY_JOURNAL_H_

#include <string>

#include "absl/container/flat_hash_set.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// A journal that lasts as long as the process: it keeps the tasks that are
// handed out and checks that each of them ends once.
class MemoryJournal final : public Journal {
 public:
  void JobSubmitted(JobId job, SweepId sweep, const std::string& request_id,
                    const hydra::v1::JobSpec& spec) override;
  void JobStateChanged(JobId job, hydra::v1::JobState state,
                       const std::string& reason) override;
  void TaskHandedOut(WorkerId worker,
                     const hydra::worker::v1::Task& task) override;
  void TaskCommitted(const hydra::worker::v1::TaskReport& report) override;
  void TaskAbandoned(TaskId task) override;

  int64_t committed_tasks() const { return committed_tasks_; }
  int64_t open_tasks() const { return handed_out_.size(); }

 private:
  absl::flat_hash_set<TaskId> handed_out_;
  int64_t committed_tasks_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_MEMORY_JOURNAL_H_
