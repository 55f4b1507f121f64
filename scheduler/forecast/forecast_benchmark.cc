// What a forecast costs:
//
//   bazel run //scheduler/forecast:forecast_benchmark

#include <cstdio>
#include <random>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

// Of so many accounts; the pool has room for a few hundred of the jobs, or for
// all of them.
QueueSnapshot Queue(int jobs, int accounts, bool all_have_room) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> hours(/*m=*/1.0, /*s=*/0.8);
  QueueSnapshot queue;
  queue.now = absl::FromUnixSeconds(1'000'000);
  queue.ready_devices = 8;
  queue.machine.devices = 8;
  queue.machine.promised_bytes = all_have_room ? int64_t{1} << 40 : 3000;
  for (int i = 0; i < jobs; ++i) {
    QueuedJob job;
    job.id = JobId(i + 1);
    job.sweep = SweepId(i / 100 + 1);
    job.account = Account{static_cast<uint64_t>(i % accounts) + 1};
    job.submitted = queue.now;
    job.remaining = absl::Hours(hours(random));
    job.demand.emplace().set_total_bytes(10);
    queue.jobs.push_back(job);
  }
  return queue;
}

void Measure(int jobs, int accounts, bool all_have_room) {
  const QueueSnapshot queue = Queue(jobs, accounts, all_have_room);
  const ShardedLrtf policy;
  const absl::Time begin = SteadyNow();
  const size_t forecasts = ForecastOf(queue, policy).size();
  std::printf(
      "%6d jobs of %3d users on 8 devices, %s: %zu forecasts, %.1f ms\n", jobs,
      accounts, all_have_room ? "all in the pool" : "most wait for room",
      forecasts, absl::ToDoubleMilliseconds(SteadyNow() - begin));
}

int Main() {
  for (int jobs : {100, 1'000, 10'000}) {
    for (int accounts : {1, 10, 50}) {
      for (bool all_have_room : {false, true}) {
        Measure(jobs, accounts, all_have_room);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main() { return hydra::Main(); }
