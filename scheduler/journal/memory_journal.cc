#include "scheduler/journal/memory_journal.h"

#include "glog/logging.h"

namespace hydra {

void MemoryJournal::JobSubmitted(JobId, SweepId, const std::string&,
                                 const hydra::v1::JobSpec&) {}

void MemoryJournal::JobStateChanged(JobId, hydra::v1::JobState,
                                    const std::string&) {}

void MemoryJournal::TaskHandedOut(WorkerId,
                                  const hydra::worker::v1::Task& task) {
  CHECK(handed_out_.insert(TaskId(task.task_id())).second)
      << "task " << task.task_id() << " was handed out twice";
}

void MemoryJournal::TaskCommitted(const hydra::worker::v1::TaskReport& report) {
  CHECK(handed_out_.erase(TaskId(report.task_id())) == 1)
      << "task " << report.task_id() << " was not handed out";
  ++committed_tasks_;
}

void MemoryJournal::TaskAbandoned(TaskId task) {
  CHECK(handed_out_.erase(task) == 1)
      << "task " << task << " was not handed out";
}

}  // namespace hydra
