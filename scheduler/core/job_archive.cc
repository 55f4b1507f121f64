#include "scheduler/core/job_archive.h"

namespace hydra {
namespace {

constexpr int kFreedInOneGo = 500;

}  // namespace

void JobArchive::Add(Job& job) {
  job.DropWorkingData();
  with_steps_.push_back(job.id);
  while (with_steps_.size() > options_->kept_step_lists) {
    if (Job* oldest = book_->Find(with_steps_.front())) {
      oldest->KeepSummaryOnly();
      if (book_->Knows(oldest->sweep)) book_->Touch(*oldest);
    }
    with_steps_.pop_front();
  }
}

bool JobArchive::NoteEnded(SweepId sweep) {
  if (!book_->NoteEnded(sweep)) return false;
  const auto jobs = static_cast<int64_t>(book_->JobsOf(sweep).size());
  ended_sweeps_.push_back({sweep, jobs, journal_->next_sequence()});
  ended_jobs_ += jobs;
  return true;
}

void JobArchive::ForgetOldSweeps(JobId in_use) {
  const Job* const used = book_->Find(in_use);
  while (!ended_sweeps_.empty()) {
    const EndedSweep oldest = ended_sweeps_.front();
    if (oldest.sequence > journal_->recorded() ||
        (used != nullptr && used->sweep == oldest.id) ||
        ended_jobs_ - oldest.jobs < options_->kept_ended_jobs) {
      return;
    }
    ended_jobs_ -= oldest.jobs;
    ended_sweeps_.pop_front();
    const std::vector<JobId> jobs = book_->Forget(oldest.id);
    to_free_.insert(to_free_.end(), jobs.begin(), jobs.end());
  }
}

void JobArchive::FreeSomeJobs() {
  for (int i = 0; i < kFreedInOneGo && !to_free_.empty(); ++i) {
    book_->Erase(to_free_.back());
    to_free_.pop_back();
  }
}

}  // namespace hydra
