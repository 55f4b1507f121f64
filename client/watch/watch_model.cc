#include "client/watch/watch_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/render/format.h"

namespace hydra {
void WatchModel::Apply(const v1::WatchResponse& response, bool first) {
  if (first) jobs_.clear();
  for (const v1::JobStatus& job : response.jobs()) {
    jobs_[{job.job_id().size(), job.job_id()}] = job;
  }
  workers_ = response.workers();
}

std::vector<v1::JobStatus> WatchModel::Jobs() const {
  std::vector<v1::JobStatus> jobs;
  jobs.reserve(jobs_.size());
  for (const auto& [order, job] : jobs_) jobs.push_back(job);
  return jobs;
}

std::optional<std::string> WatchModel::WhyNoWorkerStarts() const {
  // By then a passing shortage is over.
  constexpr int kFailedStarts = 3;
  if (workers_.empty()) return std::nullopt;
  for (const v1::WorkerStatus& worker : workers_) {
    const bool is_away = worker.state() == v1::WORKER_STATE_RESTARTING ||
                         worker.state() == v1::WORKER_STATE_STARTING;
    if (!is_away || worker.reason().empty() ||
        worker.restarts() < kFailedStarts) {
      return std::nullopt;
    }
  }
  return absl::StrCat(workers_[0].device(), " ", workers_[0].reason());
}

bool WatchModel::AllEnded() const {
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const auto& entry) { return HasEnded(entry.second); });
}

bool WatchModel::AnyUnsuccessful() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [](const auto& entry) {
    return entry.second.state() == v1::JOB_STATE_FAILED ||
           entry.second.state() == v1::JOB_STATE_CANCELLED;
  });
}

}  // namespace hydra
