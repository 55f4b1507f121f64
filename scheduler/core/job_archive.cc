#include "scheduler/core/job_archive.h"

#include <algorithm>

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
    }
    with_steps_.pop_front();
  }
}

bool JobArchive::NoteEnded(SweepId sweep) {
  if (!book_->NoteEnded(sweep)) return false;
  ended_sweeps_.push_back({sweep, journal_->next_sequence()});
  ended_jobs_ += book_->JobsOf(sweep).size();
  return true;
}

void JobArchive::ForgetOldSweeps(JobId in_use) {
  while (!ended_sweeps_.empty()) {
    const auto [oldest, sequence] = ended_sweeps_.front();
    if (sequence > journal_->recorded()) return;
    const std::vector<JobId> jobs = book_->JobsOf(oldest);
    if (std::count(jobs.begin(), jobs.end(), in_use) > 0 ||
        ended_jobs_ - static_cast<int64_t>(jobs.size()) <
            options_->kept_ended_jobs) {
      return;
    }
    ended_jobs_ -= jobs.size();
    ended_sweeps_.pop_front();
    book_->Forget(oldest);
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
