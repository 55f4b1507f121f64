// Decisions per second where accounts share the devices, as in
// sharded_lrtf_benchmark.cc: what a device that becomes free costs. A decision
// is Best, the promise of a task and its Remove, the charge of what it took,
// and the Upsert of the job with less remaining time.

#include <cstdint>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/policy/share_order.h"

namespace hydra {
namespace {

// The jobs, and how many accounts they belong to.
void BM_Decision(benchmark::State& state) {
  const int64_t jobs = state.range(0);
  const int64_t accounts = state.range(1);
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> hours(/*m=*/1.0, /*s=*/0.8);
  std::uniform_int_distribution<int64_t> task_ms(50, 2'000);

  ShardedLrtf lrtf;
  ShareOrder order(&lrtf, {});
  absl::Time now = absl::FromUnixSeconds(1'000'000);
  std::vector<JobView> views(jobs);
  for (int64_t job = 0; job < jobs; ++job) {
    views[job].id = JobId(job);
    views[job].remaining = absl::Hours(hours(random));
    views[job].account = Account{static_cast<uint64_t>(job % accounts)};
    views[job].waits_since = now;
    order.Upsert(views[job]);
  }
  for (auto _ : state) {
    JobView& best = views[order.Best()->value()];
    const absl::Duration took = absl::Milliseconds(task_ms(random));
    order.HandedOut(best.account, best.priority, took, now);
    order.Remove(best.id);
    now += took;
    order.TakeBack(best.account, took);
    order.Charge(best.account, took, now);
    best.remaining -= took;
    best.waits_since = now;
    order.Upsert(best);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Decision)
    ->Args({1'000, 1})
    ->Args({1'000, 50})
    ->Args({100'000, 1})
    ->Args({100'000, 50});

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
