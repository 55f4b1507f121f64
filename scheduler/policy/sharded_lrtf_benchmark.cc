// Decisions per second of Sharded-LRTF. One decision is what a device that
// becomes free costs: Best, Remove, and the Upsert of that job with less
// remaining time once its task is done.

#include <cstdint>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

void BM_Decision(benchmark::State& state) {
  const int64_t jobs = state.range(0);
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> hours(/*m=*/1.0, /*s=*/0.8);
  std::uniform_int_distribution<int64_t> task_ms(50, 2'000);

  ShardedLrtf policy;
  std::vector<absl::Duration> remaining(jobs);
  for (int64_t job = 0; job < jobs; ++job) {
    remaining[job] = absl::Hours(hours(random));
    policy.Upsert({JobId(job), remaining[job], {}});
  }
  for (auto _ : state) {
    const JobId best = *policy.Best();
    policy.Remove(best);
    absl::Duration& left = remaining[best.value()];
    left -= absl::Milliseconds(task_ms(random));
    policy.Upsert({best, left, {}});
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Decision)->RangeMultiplier(10)->Range(1'000, 1'000'000);

// As above, but any job may be the one that ran: the case of jobs that wait
// for a certain worker, and one without the cache locality of the top.
void BM_DecisionForARandomJob(benchmark::State& state) {
  const int64_t jobs = state.range(0);
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int64_t> any_job(0, jobs - 1);
  std::uniform_int_distribution<int64_t> any_ms(0, 36'000'000);

  ShardedLrtf policy;
  for (int64_t job = 0; job < jobs; ++job) {
    policy.Upsert({JobId(job), absl::Milliseconds(any_ms(random)), {}});
  }
  for (auto _ : state) {
    const JobId job(any_job(random));
    benchmark::DoNotOptimize(policy.Best());
    policy.Remove(job);
    policy.Upsert({job, absl::Milliseconds(any_ms(random)), {}});
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DecisionForARandomJob)
    ->RangeMultiplier(10)
    ->Range(1'000, 1'000'000);

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
