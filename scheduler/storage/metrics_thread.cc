#include "scheduler/storage/metrics_thread.h"

#include <algorithm>
#include <utility>

#include "common/clock/steady_time.h"
#include "scheduler/journal/tables.h"
#include "scheduler/storage/metrics_rows.h"

namespace hydra {
namespace {

// So many times as long as a look took, the thread rests before the next one.
constexpr int kRest = 9;
// And no longer: a look may take long because one job's folder does not answer.
constexpr absl::Duration kMostRest = absl::Seconds(30);

}  // namespace

MetricsThread::MetricsThread(const RecordStore* jobs, const Options& options,
                             Trouble trouble)
    : options_(options),
      trouble_(std::move(trouble)),
      metrics_(jobs, options.host),
      thread_([this] { Loop(); }) {}

MetricsThread::~MetricsThread() { Stop(); }

void MetricsThread::Note(JobId job, int64_t place, Changed& changed) {
  const auto [found, is_new] = changed.try_emplace(job, place);
  if (!is_new) found->second = std::min(found->second, place);
}

void MetricsThread::Recorded(const std::vector<journal::v1::Change>& changes) {
  absl::MutexLock lock(&mu_);
  for (const journal::v1::Change& change : changes) {
    const JobId job(change.a());
    switch (change.table()) {
      case kStepsTable:
        Note(job, PlaceOfStep(change.b()), changed_);
        break;
      case kEvaluationsTable:
        Note(job, PlaceOfEvaluation(change.b()), changed_);
        break;
      case kProgressTable:
        Note(job, JobMetrics::kNothingOlder, changed_);
        break;
      default:
        break;
    }
  }
}

void MetricsThread::LookAt(JobId job) {
  absl::MutexLock lock(&mu_);
  Note(job, JobMetrics::kNothingOlder, changed_);
}

void MetricsThread::Stop() {
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

void MetricsThread::Loop() {
  bool is_last = false;
  absl::Duration took;
  for (int look = 1; !is_last; ++look) {
    // With very many jobs, they are looked at less often.
    is_last = stop_.WaitFor(
        std::max(options_.pause, std::min(kRest * took, kMostRest)));
    const absl::Time begun = SteadyNow();
    Changed changed;
    {
      absl::MutexLock lock(&mu_);
      changed.swap(changed_);
    }
    const bool tries_again = is_last || look % options_.looks_until_retry == 0;
    for (JobId job : failed_) {
      if (tries_again) Note(job, JobMetrics::kNothingOlder, changed);
    }
    UpdateAll(changed);
    took = SteadyNow() - begun;
  }
}

void MetricsThread::UpdateAll(const Changed& changed) {
  for (const auto& [job, place] : changed) {
    const absl::Status written = metrics_.Update(job, place);
    if (written.ok()) {
      failed_.erase(job);
    } else if (failed_.insert(job).second) {
      trouble_(job, written);
    }
  }
}

}  // namespace hydra
