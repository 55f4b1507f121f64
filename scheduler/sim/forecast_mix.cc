#include "scheduler/sim/forecast_mix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <utility>

#include "common/ids/ids.h"
#include "scheduler/core/account_of.h"
#include "scheduler/core/job.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/forecast/queued_job.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kSweepJobs = 10;
const std::array<Caller, 3> kUsers = {Caller{1000}, Caller{1001}, Caller{1002}};
constexpr std::array<int64_t, 5> kSteps = {4, 8, 16, 24, 40};
// Of each task, by what simulated pilots find.
constexpr absl::Duration kTask = absl::Seconds(2);

World::Options OptionsOf(const ForecastMix& mix) {
  World::Options options;
  options.seed = mix.seed;
  options.workers = mix.devices;
  options.pool_bytes = int64_t{8} << 20;
  options.shares.weights[AccountOf(kUsers[1])] = 2;
  return options;
}

void SubmitAll(const ForecastMix& mix, World& world) {
  // Its numbers are the same everywhere; what distributions make of them is
  // not.
  std::mt19937_64 random(mix.seed);
  const auto below = [&random](uint64_t end) { return random() % end; };
  world.setup().trains_only = true;
  for (int first = 0; first < mix.jobs; first += kSweepJobs) {
    const double factor = 0.75 + static_cast<double>(below(501)) / 1000;
    const int priority = below(5) == 0 ? 1 : 0;
    const Caller& user = kUsers[below(kUsers.size())];
    std::vector<NewJob> jobs;
    for (int i = 0; i < kSweepJobs; ++i) {
      jobs.push_back(SmallJob(kSteps[below(kSteps.size())]));
      jobs.back().spec.set_priority(priority);
      jobs.back().spec.mutable_train()->set_micro_batches_per_round(2);
      world.setup().task_time[first + i + 1] = kTask * factor;
    }
    world.Submit(std::move(jobs), user);
  }
}

int64_t Ended(World& world) {
  const JobBook::Jobs& jobs = world.core().jobs().all();
  return std::count_if(jobs.begin(), jobs.end(),
                       [](const auto& entry) { return entry.second.ended(); });
}

bool AllPrepared(World& world) {
  const JobBook::Jobs& jobs = world.core().jobs().all();
  return std::all_of(jobs.begin(), jobs.end(), [](const auto& entry) {
    return entry.second.phase() != v1::JOB_PHASE_PREPARE &&
           entry.second.phase() != v1::JOB_PHASE_PILOT;
  });
}

QueueSnapshot SnapshotOf(World& world) {
  Core& core = world.core();
  QueueSnapshot queue;
  queue.machine = MachineOf(core.options());
  queue.now = world.now();
  for (const v1::WorkerStatus& worker : core.Workers(world.now())) {
    queue.ready_devices += worker.state() == v1::WORKER_STATE_READY ? 1 : 0;
  }
  queue.uses = core.shares().Uses();
  queue.level = core.shares().level();
  for (const auto& [id, job] : core.jobs().all()) {
    if (std::optional<QueuedJob> queued = QueuedJobOf(job)) {
      queue.jobs.push_back(*std::move(queued));
    }
  }
  return queue;
}

struct Made {
  QueueSnapshot queue;
  Forecasts forecasts;
};

Made MakeForecasts(World& world) {
  Made made;
  made.queue = SnapshotOf(world);
  made.forecasts = ForecastOf(made.queue, ShardedLrtf());
  return made;
}

// After all jobs have ended.
ForecastErrors ErrorsOf(const Made& made, absl::Time begin, World& world) {
  ForecastErrors errors;
  errors.made_at = made.queue.now - begin;
  std::vector<double> off;
  for (const QueuedJob& job : made.queue.jobs) {
    ++errors.jobs;
    const absl::Time ended_at = world.core().jobs().Find(job.id)->ended_at;
    const absl::Duration took = ended_at - made.queue.now;
    errors.until_end = std::max(errors.until_end, took);
    const auto forecast = made.forecasts.find(job.id);
    if (forecast == made.forecasts.end()) {
      ++errors.without;
      continue;
    }
    off.push_back(
        std::abs(absl::FDivDuration(forecast->second.end - ended_at, took)));
  }
  if (off.empty()) return errors;
  std::sort(off.begin(), off.end());
  errors.median = off[off.size() / 2];
  errors.ninetieth = off[off.size() * 9 / 10];
  return errors;
}

}  // namespace

std::vector<ForecastErrors> MeasureForecasts(const ForecastMix& mix) {
  World world(OptionsOf(mix));
  const absl::Time begin = world.now();
  SubmitAll(mix, world);
  world.RunUntil([&] { return AllPrepared(world); });
  std::vector<Made> made;
  made.push_back(MakeForecasts(world));
  for (int third : {1, 2}) {
    world.RunUntil([&] { return Ended(world) >= mix.jobs * third / 3; });
    made.push_back(MakeForecasts(world));
  }
  world.RunUntilJobsEnd();
  std::vector<ForecastErrors> errors;
  for (const Made& one : made) errors.push_back(ErrorsOf(one, begin, world));
  return errors;
}

}  // namespace hydra
