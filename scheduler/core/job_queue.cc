#include "scheduler/core/job_queue.h"

#include <utility>

#include "scheduler/core/job_move.h"

namespace hydra {

void JobQueue::Enqueue(Job& job, absl::Time now) {
  waiting_.Remove(job.id);
  if (now < job.rests_until) {
    resting_.insert(job.id);
    Move(job, v1::JOB_STATE_PENDING, job.reason);
    book_->NoteChange(job);
    return;
  }
  if (job.queued_since == absl::InfinitePast()) job.queued_since = now;
  if (job.state() == v1::JOB_STATE_PENDING) {
    job.reason = waits_for_device_;
    book_->Touch(job);
  }
  policy_->Upsert(ViewAt(job, job.position));
}

void JobQueue::SetWaiting(Job& job, std::string reason) {
  if (job.state() == v1::JOB_STATE_PENDING && job.reason == reason) return;
  Move(job, v1::JOB_STATE_PENDING, std::move(reason));
  book_->Touch(job);
}

void JobQueue::WaitFor(Job& job, const std::string& what, std::string reason) {
  waiting_.WaitFor(job.id, what);
  SetWaiting(job, std::move(reason));
}

void JobQueue::WaitForRoom(Job& job, std::string reason, absl::Time now) {
  waiting_.WaitForRoom(job.id, AccountOf(job), now);
  SetWaiting(job, std::move(reason));
}

void JobQueue::GotRoom(const Job& job) {
  waiting_.Remove(job.id);
  waiting_.NoteRoomTaken(AccountOf(job));
}

void JobQueue::Leave(JobId job) {
  policy_->Remove(job);
  waiting_.Remove(job);
  resting_.erase(job);
}

std::vector<JobId> JobQueue::TakeRested(absl::Time now) {
  std::vector<JobId> rested;
  for (auto it = resting_.begin(); it != resting_.end();) {
    const Job* job = book_->Find(*it);
    if (job != nullptr && now < job->rests_until) {
      ++it;
      continue;
    }
    if (job != nullptr) rested.push_back(*it);
    it = resting_.erase(it);
  }
  return rested;
}

void JobQueue::SayOfDevices(std::string reason) {
  if (reason == waits_for_device_) return;
  for (auto& [id, job] : book_->all()) {
    if (job.state() != v1::JOB_STATE_PENDING ||
        job.reason != waits_for_device_) {
      continue;
    }
    job.reason = reason;
    book_->Touch(job);
  }
  waits_for_device_ = std::move(reason);
}

}  // namespace hydra
