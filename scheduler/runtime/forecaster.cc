#include "scheduler/runtime/forecaster.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/clock/steady_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(2);
// Without a change: what was to begin may be late.
constexpr absl::Duration kAnyway = absl::Minutes(1);
// Pauses are so many times as long as the work.
constexpr int kRest = 100;

}  // namespace

Forecaster::Forecaster(const ReadModel* model,
                       std::unique_ptr<const Policy> policy, Machine machine,
                       AskUsed ask_used)
    : model_(model),
      policy_(std::move(policy)),
      machine_(std::move(machine)),
      ask_used_(std::move(ask_used)) {}

Forecaster::~Forecaster() { Stop(); }

void Forecaster::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Forecaster::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool Forecaster::WaitForStop(absl::Duration patience) {
  absl::MutexLock lock(&mu_);
  return mu_.AwaitWithTimeout(absl::Condition(&stopping_), patience);
}

void Forecaster::Loop() {
  absl::Duration pause = absl::ZeroDuration();
  absl::Time made_at = absl::InfinitePast();
  std::pair<uint64_t, uint64_t> seen;
  while (!WaitForStop(pause)) {
    const absl::Time now = SteadyNow();
    pause = kEvery;
    // What changes from here on comes into the next one.
    const std::pair<uint64_t, uint64_t> newest = {model_->revision(),
                                                  model_->workers().revision};
    if (newest == seen && now - made_at < kAnyway) continue;
    seen = newest;
    made_at = now;
    Make(now);
    pause = std::max(kEvery, kRest * (SteadyNow() - now));
  }
}

std::optional<QueueSnapshot> Forecaster::Snapshot(absl::Time now) const {
  std::optional<Used> used = ask_used_();
  if (!used.has_value()) return std::nullopt;
  QueueSnapshot queue;
  queue.machine = machine_;
  queue.machine.shares = std::move(used->shares);
  queue.now = now;
  queue.uses = std::move(used->uses);
  queue.level = used->level;
  queue.ready_devices = ReadyDevices(*model_->workers().statuses);
  // Some at a time, so that nobody waits for the read model meanwhile.
  std::optional<ReadModel::Place> place;
  while (true) {
    const std::vector<ReadModel::EntryPtr> some =
        model_->After(place, std::nullopt);
    for (const ReadModel::EntryPtr& entry : some) {
      place = {entry->sweep, entry->job};
      if (entry->queued != nullptr) queue.jobs.push_back(*entry->queued);
    }
    if (some.size() < ReadModel::kMostEntries) break;
  }
  std::sort(queue.jobs.begin(), queue.jobs.end(),
            [](const QueuedJob& a, const QueuedJob& b) { return a.id < b.id; });
  return queue;
}

void Forecaster::Make(absl::Time now) {
  const std::optional<QueueSnapshot> queue = Snapshot(now);
  if (!queue.has_value()) return;
  auto made = std::make_shared<const Forecasts>(ForecastOf(*queue, *policy_));
  absl::MutexLock lock(&mu_);
  newest_.swap(made);
}

std::optional<Forecast> Forecaster::Of(JobId job) const {
  std::shared_ptr<const Forecasts> newest;
  {
    absl::MutexLock lock(&mu_);
    newest = newest_;
  }
  const auto found = newest->find(job);
  if (found == newest->end()) return std::nullopt;
  return found->second;
}

}  // namespace hydra
