#include "client/watch/watch_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kBusyWindow = absl::Seconds(2);

}  // namespace

void WatchModel::Apply(const v1::WatchResponse& response, bool first) {
  if (first) jobs_.clear();
  for (const v1::JobStatus& job : response.jobs()) {
    jobs_[{job.job_id().size(), job.job_id()}] = job;
  }
  workers_ = response.workers();
  for (const v1::WorkerStatus& worker : workers_) UpdateBusy(worker);
}

void WatchModel::UpdateBusy(const v1::WorkerStatus& worker) {
  const absl::Duration busy = FromProto(worker.busy());
  const absl::Duration attached = FromProto(worker.attached());
  const auto [it, is_new] = busy_.try_emplace(worker.device());
  BusySample& sample = it->second;
  // A worker that started again counts from zero.
  if (!is_new && attached < sample.attached) sample = BusySample();
  const absl::Duration elapsed = attached - sample.attached;
  if (elapsed <= absl::ZeroDuration()) return;
  if (elapsed < kBusyWindow && sample.attached > absl::ZeroDuration()) return;
  const double share = absl::FDivDuration(busy - sample.busy, elapsed);
  sample = {busy, attached, std::clamp(share, 0.0, 1.0)};
}

std::vector<v1::JobStatus> WatchModel::Jobs() const {
  std::vector<v1::JobStatus> jobs;
  jobs.reserve(jobs_.size());
  for (const auto& [order, job] : jobs_) jobs.push_back(job);
  return jobs;
}

double WatchModel::Busy(const std::string& device) const {
  const auto it = busy_.find(device);
  return it == busy_.end() ? 0 : it->second.share;
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
