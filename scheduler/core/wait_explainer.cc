#include "scheduler/core/wait_explainer.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "scheduler/core/job_move.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Jobs that one turn looks at: some milliseconds.
constexpr int kExplainedInOneGo = 500;

}  // namespace

std::string WaitExplainer::WhoseTurnItIs(const Ahead& ahead) const {
  if (ahead.other_accounts == 0 && !ahead.by_priority) {
    return absl::StrCat("waits for a device: ",
                        parts_.queue->JobsAhead(ahead.all));
  }
  std::string turn = absl::StrCat(
      "waits for a device: number ", ahead.own + 1, " of its user's jobs",
      ahead.by_priority ? ", higher priorities first" : "");
  if (ahead.other_accounts == 0) return turn;
  // Not whose jobs those are: that is not everybody's business.
  absl::StrAppend(&turn, "; they take turns with those of ",
                  ahead.other_accounts,
                  ahead.other_accounts == 1 ? " other user" : " other users");
  return turn;
}

void WaitExplainer::Note(const JobView& job) {
  explained_of_.try_emplace(job.account, 0);
  const auto first = priority_of_.try_emplace(job.account, job.priority).first;
  if (first->second != job.priority) with_priorities_.insert(job.account);
}

std::string WaitExplainer::WhatItWaitsFor(const Job& job,
                                          const Ahead& ahead) const {
  if (parts_.roster->maintenance().has_value()) {
    return parts_.queue->waits_for_device();
  }
  const int64_t devices =
      std::count_if(parts_.roster->all().begin(), parts_.roster->all().end(),
                    [](const WorkerRecord& worker) {
                      return worker.ready() && worker.usable();
                    });
  // None can start, and that is said with the reason.
  if (devices == 0 &&
      parts_.queue->waits_for_device() != JobQueue::kWaitsForADevice) {
    return parts_.queue->waits_for_device();
  }
  if (devices == 0) {
    return absl::StrCat("waits for a device: none of ",
                        parts_.roster->all().size(), " takes tasks",
                        parts_.roster->DrainedDevices());
  }
  const bool any_may_run =
      std::any_of(parts_.roster->all().begin(), parts_.roster->all().end(),
                  [&](const WorkerRecord& worker) {
                    return worker.ready() && parts_.roster->CanRun(worker, job);
                  });
  if (!any_may_run && job.phase() == v1::JOB_PHASE_PILOT) {
    return absl::StrCat("waits for ", parts_.roster->PilotDevice(job).name,
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
    absl::StrAppend(&reason, parts_.roster->DrainedDevices());
    return reason;
  }
  if (job.refused_write_bytes > 0) {
    const bool all_stand_still =
        parts_.checkpoints->free() && parts_.hands->all_empty();
    return absl::StrCat(
        "waits for room in the pool: its next task writes ",
        job.refused_write_bytes, " bytes, and of ", parts_.blocks->free_bytes(),
        " free ones at most ", parts_.blocks->largest_free_bytes(),
        " lie together",
        all_stand_still ? "; no job's next task finds room: nothing goes on "
                          "until a job is paused or cancelled"
                        : "");
  }
  if (job.writing.has_value() && ahead.all == 0) {
    return "waits until its checkpoint is written";
  }
  if (ahead.all == 0) return parts_.queue->waits_for_device();
  return WhoseTurnItIs(ahead);
}

void WaitExplainer::Tick(absl::Time now) {
  if (!to_explain_.empty() ||
      now - began_at_ < parts_.options->wait_to_explain) {
    return;
  }
  began_at_ = now;
  explained_ = 0;
  explained_of_.clear();
  priority_of_.clear();
  with_priorities_.clear();
  for (const JobView& job : parts_.hands->Jobs()) Note(job);
  parts_.queue->ForEachInOrder([&](const JobView& job) {
    to_explain_.push_back(job.id);
    Note(job);
    return true;
  });
  std::reverse(to_explain_.begin(), to_explain_.end());
}

void WaitExplainer::ExplainSome(absl::Time now) {
  if (to_explain_.empty()) return;
  const auto before = [this](const JobView& a, const JobView& b) {
    return parts_.queue->Before(a, b);
  };
  const std::vector<JobView> in_hands = parts_.hands->Jobs();
  for (int i = 0; i < kExplainedInOneGo && !to_explain_.empty(); ++i) {
    const JobId id = to_explain_.back();
    to_explain_.pop_back();
    Ahead ahead;
    ahead.all = explained_++;
    const Job* known = parts_.book->Find(id);
    if (known == nullptr) continue;
    ahead.own = explained_of_[AccountOf(*known)]++;
    // It may have left the queue since, or have ended long ago.
    if (!parts_.queue->Contains(id)) continue;
    Job& job = parts_.book->At(id);
    if (now - job.queued_since < parts_.options->wait_to_explain ||
        Pauses(job.intent)) {
      continue;
    }
    const JobView view = ViewAt(job, job.position);
    for (const JobView& held : in_hands) {
      if (!before(held, view)) continue;
      ++ahead.all;
      ahead.own += held.account == view.account ? 1 : 0;
    }
    ahead.other_accounts = static_cast<int64_t>(explained_of_.size()) - 1;
    ahead.by_priority = with_priorities_.contains(view.account);
    Say(job, WhatItWaitsFor(job, ahead));
  }
}

void WaitExplainer::Say(Job& job, std::string reason) {
  if (job.state() == v1::JOB_STATE_PENDING && job.reason == reason) return;
  const bool stopped = job.state() == v1::JOB_STATE_RUNNING;
  Move(job, v1::JOB_STATE_PENDING, std::move(reason));
  if (stopped) {
    parts_.book->NoteChange(job);
  } else {
    parts_.book->Touch(job);
  }
}

}  // namespace hydra
