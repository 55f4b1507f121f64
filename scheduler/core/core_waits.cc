// The part of Core that tells what the jobs in the queue wait for.

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Jobs that one turn looks at: some milliseconds.
constexpr int kExplainedInOneGo = 500;

std::string JobsAhead(int64_t ahead) {
  return ahead == 1
             ? "1 job with more time remaining is ahead"
             : absl::StrCat(ahead, " jobs with more time remaining are ahead");
}

}  // namespace

std::vector<absl::Duration> Core::RemainingInHands() {
  absl::btree_set<JobId> jobs;
  for (const WorkerRecord& worker : workers_) {
    for (const auto& [job, task] : worker.hand) jobs.insert(job);
  }
  std::vector<absl::Duration> remaining;
  for (JobId id : jobs) {
    const Job& job = JobOf(id);
    remaining.push_back(job.RemainingFrom(job.position));
  }
  std::sort(remaining.begin(), remaining.end(), std::greater<absl::Duration>());
  return remaining;
}

std::string Core::WhatItWaitsFor(const Job& job, int64_t ahead) {
  const int64_t devices = std::count_if(
      workers_.begin(), workers_.end(), [](const WorkerRecord& worker) {
        return worker.ready() && worker.usable();
      });
  // None can start, and that is said with the reason.
  if (devices == 0 && waits_for_device_ != kWaitsForADevice) {
    return waits_for_device_;
  }
  if (devices == 0) {
    return absl::StrCat("waits for a device: none of ", workers_.size(),
                        " takes tasks");
  }
  const bool any_may_run = std::any_of(
      workers_.begin(), workers_.end(), [&](const WorkerRecord& worker) {
        return worker.ready() && CanRun(worker, job);
      });
  if (!any_may_run && job.phase == v1::JOB_PHASE_PILOT) {
    return absl::StrCat("waits for ", PilotDevice(job).name,
                        ", the device with the least memory, on which its cut "
                        "points are found");
  }
  if (!any_may_run) {
    std::string reason = absl::StrCat("waits for a device: none of the ",
                                      devices, " that take tasks may run it");
    if (!job.crashed_on.empty()) {
      absl::StrAppend(&reason, "; ", job.crashed_on.size(),
                      " died of it, another one comes first");
    } else {
      absl::StrAppend(&reason, "; its cut points need at least ",
                      job.partition_limit_bytes, " bytes");
    }
    return reason;
  }
  if (job.refused_write_bytes > 0) {
    const bool all_stand_still =
        writing_ == JobId() && std::all_of(workers_.begin(), workers_.end(),
                                           [](const WorkerRecord& worker) {
                                             return worker.hand.empty();
                                           });
    return absl::StrCat(
        "waits for room in the pool: its next task writes ",
        job.refused_write_bytes, " bytes, and of ", blocks_.free_bytes(),
        " free ones at most ", blocks_.largest_free_bytes(), " lie together",
        all_stand_still ? "; no job's next task finds room: nothing goes on "
                          "until a job is paused or cancelled"
                        : "");
  }
  if (job.writing.has_value() && ahead == 0) {
    return "waits until its checkpoint is written";
  }
  if (ahead == 0) return waits_for_device_;
  return absl::StrCat("waits for a device: ", JobsAhead(ahead));
}

void Core::BeginExplaining(absl::Time now) {
  if (!to_explain_.empty() || now - explained_at_ < options_.wait_to_explain) {
    return;
  }
  explained_at_ = now;
  explained_ = 0;
  policy_->ForEachInOrder([&](JobId id) {
    to_explain_.push_back(id);
    return true;
  });
  std::reverse(to_explain_.begin(), to_explain_.end());
}

void Core::ExplainSomeWaits(absl::Time now) {
  if (to_explain_.empty()) return;
  const std::vector<absl::Duration> in_hands = RemainingInHands();
  for (int i = 0; i < kExplainedInOneGo && !to_explain_.empty(); ++i) {
    const JobId id = to_explain_.back();
    to_explain_.pop_back();
    const int64_t ahead_in_queue = explained_++;
    // It may have left the queue since, or have ended long ago.
    if (!policy_->Contains(id)) continue;
    Job& job = JobOf(id);
    if (now - job.queued_since < options_.wait_to_explain ||
        job.pause_requested) {
      continue;
    }
    const int64_t ahead_in_hands =
        std::upper_bound(in_hands.begin(), in_hands.end(),
                         job.RemainingFrom(job.position),
                         std::greater<absl::Duration>()) -
        in_hands.begin();
    ExplainWait(job, WhatItWaitsFor(job, ahead_in_queue + ahead_in_hands));
  }
}

void Core::ExplainWait(Job& job, std::string reason) {
  if (job.state == v1::JOB_STATE_PENDING && job.reason == reason) return;
  const bool stopped = job.state == v1::JOB_STATE_RUNNING;
  job.state = v1::JOB_STATE_PENDING;
  job.reason = std::move(reason);
  if (stopped) {
    NoteChange(job);
  } else {
    Touch(job);
  }
}

}  // namespace hydra
