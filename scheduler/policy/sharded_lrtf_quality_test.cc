// How good are Sharded-LRTF's schedules? Lists of shard tasks on identical
// devices, no transfer cost, exact remaining times; the yardstick is
// max(total work / devices, longest job), below which no schedule can be.

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

// A chain of equal shard tasks, one after another. Times are in microseconds.
struct Job {
  int64_t tasks = 0;
  int64_t task_us = 0;

  int64_t RemainingUs() const { return tasks * task_us; }
};

// Takes a job's remaining time, answers how urgent the job is.
using Rank = std::function<absl::Duration(absl::Duration)>;

absl::Duration LongestFirst(absl::Duration remaining) { return remaining; }
absl::Duration ShortestFirst(absl::Duration remaining) { return -remaining; }

int64_t LowerBoundUs(const std::vector<Job>& jobs, int devices) {
  int64_t total = 0;
  int64_t longest = 0;
  for (const Job& job : jobs) {
    total += job.RemainingUs();
    longest = std::max(longest, job.RemainingUs());
  }
  return std::max((total + devices - 1) / devices, longest);
}

int64_t MakespanUs(std::vector<Job> jobs, int devices, const Rank& rank) {
  ShardedLrtf policy;
  const auto make_runnable = [&](int job) {
    const absl::Duration left = absl::Microseconds(jobs[job].RemainingUs());
    if (left > absl::ZeroDuration())
      policy.Upsert({JobId(job), rank(left), {}});
  };
  for (int job = 0; job < jobs.size(); ++job) make_runnable(job);

  // Running tasks, the next to end on top.
  using Running = std::pair<int64_t, int>;  // End, job.
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running;
  int64_t now_us = 0;
  while (true) {
    while (running.size() < devices && policy.Best().has_value()) {
      const JobId best = *policy.Best();
      policy.Remove(best);
      Job& job = jobs[best.value()];
      --job.tasks;
      running.push({now_us + job.task_us, static_cast<int>(best.value())});
    }
    if (running.empty()) return now_us;
    const auto [end_us, job] = running.top();
    running.pop();
    now_us = end_us;
    make_runnable(job);
  }
}

enum class Mix { kEqual, kTwoBatchSizes, kLogNormalLengths };

std::vector<Job> MakeJobs(Mix mix, int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> task_us(50'000, 150'000);
  std::lognormal_distribution<double> length(/*m=*/0.0, /*s=*/0.8);
  const int64_t common_task_us = task_us(random);
  std::vector<Job> jobs;
  for (int i = 0; i < count; ++i) {
    switch (mix) {
      case Mix::kEqual:
        jobs.push_back({500, common_task_us});
        break;
      case Mix::kTwoBatchSizes:
        // Half the batch: twice the steps, each a bit more than half as long.
        jobs.push_back(i % 2 == 0 ? Job{500, common_task_us}
                                  : Job{1'000, common_task_us * 11 / 20});
        break;
      case Mix::kLogNormalLengths:
        jobs.push_back(
            {1 + static_cast<int64_t>(500 * length(random)), task_us(random)});
        break;
    }
  }
  std::shuffle(jobs.begin(), jobs.end(), random);
  return jobs;
}

struct QualityCase {
  std::string name;
  Mix mix;
  int jobs;
  int devices;
};

class ShardedLrtfQualityTest : public testing::TestWithParam<QualityCase> {
 protected:
  static constexpr int kSeeds = 25;

  // Makespan over lower bound, for each seed.
  static std::vector<double> Ratios(const Rank& rank) {
    const QualityCase& param = GetParam();
    std::vector<double> ratios;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const std::vector<Job> jobs = MakeJobs(param.mix, param.jobs, seed);
      const double makespan_us = MakespanUs(jobs, param.devices, rank);
      ratios.push_back(makespan_us / LowerBoundUs(jobs, param.devices));
    }
    return ratios;
  }
};

TEST_P(ShardedLrtfQualityTest, EndsWithinOnePercentOfTheLowerBound) {
  const std::vector<double> ratios = Ratios(LongestFirst);
  const double worst = *std::max_element(ratios.begin(), ratios.end());
  const double mean =
      std::accumulate(ratios.begin(), ratios.end(), 0.0) / ratios.size();
  RecordProperty("mean_ratio", std::to_string(mean));
  RecordProperty("worst_ratio", std::to_string(worst));
  EXPECT_GE(*std::min_element(ratios.begin(), ratios.end()), 1.0);
  EXPECT_LE(worst, 1.01);
}

// Shows that the yardstick tells a good order from a bad one. Where jobs are
// alike and many, any order is good.
class SkewedMixTest : public ShardedLrtfQualityTest {};

TEST_P(SkewedMixTest, TheOppositeOrderIsClearlyWorse) {
  const std::vector<double> ratios = Ratios(ShortestFirst);
  EXPECT_GE(*std::min_element(ratios.begin(), ratios.end()), 1.03);
}

const QualityCase kSkewed[] = {
    {"Skew12On4", Mix::kLogNormalLengths, 12, 4},
    {"Skew12On8", Mix::kLogNormalLengths, 12, 8},
    {"Skew48On4", Mix::kLogNormalLengths, 48, 4},
    {"Skew48On8", Mix::kLogNormalLengths, 48, 8},
};
const QualityCase kAlike[] = {
    {"Equal12On4", Mix::kEqual, 12, 4},
    {"Equal12On8", Mix::kEqual, 12, 8},
    {"Equal48On4", Mix::kEqual, 48, 4},
    {"Equal48On8", Mix::kEqual, 48, 8},
    {"TwoBatch12On4", Mix::kTwoBatchSizes, 12, 4},
    {"TwoBatch12On8", Mix::kTwoBatchSizes, 12, 8},
    {"TwoBatch48On4", Mix::kTwoBatchSizes, 48, 4},
    {"TwoBatch48On8", Mix::kTwoBatchSizes, 48, 8},
};

std::string Name(const testing::TestParamInfo<QualityCase>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Skewed, ShardedLrtfQualityTest,
                         testing::ValuesIn(kSkewed), Name);
INSTANTIATE_TEST_SUITE_P(Alike, ShardedLrtfQualityTest,
                         testing::ValuesIn(kAlike), Name);
INSTANTIATE_TEST_SUITE_P(Skewed, SkewedMixTest, testing::ValuesIn(kSkewed),
                         Name);

}  // namespace
}  // namespace hydra
