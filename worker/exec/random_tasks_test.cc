// Tasks of random models, cut anew for each step, on devices of random limits,
// some of which are too small: the limit holds, nothing is left on the device,
// and no bit depends on any of it. HYDRA_RANDOM_TASKS says how many tasks at
// least.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

constexpr int64_t kPlenty = int64_t{32} << 20;
constexpr int64_t kKib = 1024;
constexpr int kSteps = 3;

int TasksWanted() {
  int tasks = 1000;
  const char* const text = std::getenv("HYDRA_RANDOM_TASKS");
  if (text != nullptr) CHECK(absl::SimpleAtoi(text, &tasks)) << text;
  return tasks;
}

template <typename T>
T OneOf(std::mt19937_64& random, const std::vector<T>& values) {
  return values[random() % values.size()];
}

TinyJob::Options AnyOptions(std::mt19937_64& random) {
  TinyJob::Options options;
  options.layers = 1 + random() % 4;
  options.width = OneOf<int64_t>(random, {16, 32, 48});
  options.vocabulary = OneOf<int64_t>(random, {97, 350, 2000});
  options.tied = OneOf<int>(random, {0, 1}) == 1;
  options.dropout = OneOf<double>(random, {0, 0.1});
  options.optimizer = OneOf<hydra::v1::Optimizer>(
      random, {hydra::v1::OPTIMIZER_SGD, hydra::v1::OPTIMIZER_ADAMW});
  options.max_grad_norm = OneOf<double>(random, {0, 0.5});
  options.sequences = 1 + random() % 3;
  options.context = OneOf<int>(random, {8, 24});
  options.micro_batches = 1 + random() % 3;
  options.micro_batches_per_round = random() % 3;
  options.trained_dtype = OneOf<hydra::v1::ParameterType>(
      random,
      {hydra::v1::PARAMETER_TYPE_FLOAT32, hydra::v1::PARAMETER_TYPE_BFLOAT16});
  return options;
}

std::vector<int> AnyCuts(std::mt19937_64& random, int layers) {
  std::vector<int> cuts;
  const uint64_t every = 1 + random() % 3;
  for (int layer = 1; layer < layers; ++layer) {
    if (random() % every == 0) cuts.push_back(layer);
  }
  return cuts;
}

struct Training {
  // Of the steps that had room.
  std::vector<double> losses;
  std::vector<std::byte> state;
  int tasks = 0;
};

// `cuts` of each step; ends with the first task that has no room.
Training Train(const TinyJob::Options& options, int64_t limit_bytes,
               const std::vector<std::vector<int>>& cuts) {
  TinyJob job(options, testing::TempDir());
  const auto device = NewTestDevice(limit_bytes);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  Training training;
  for (const std::vector<int>& step : cuts) {
    job.SetCuts(step);
    double loss = 0;
    const std::vector<worker::v1::TaskReport> reports = job.TryStep(runner);
    training.tasks += static_cast<int>(reports.size());
    for (const worker::v1::TaskReport& report : reports) {
      EXPECT_LE(report.cost().peak_bytes(), limit_bytes);
      loss += report.pass().loss_sum();
    }
    if (reports.back().has_error()) break;
    training.losses.push_back(loss);
    training.state = job.State();
  }
  EXPECT_LE(device->arena().highest_bytes(), limit_bytes);
  runner.cache().DropAll();
  EXPECT_EQ(device->arena().used_bytes(), 0) << "something is left";
  return training;
}

TEST(RandomTasksTest, TheLimitHoldsAndNoBitDependsOnIt) {
  int tasks = 0;
  int without_room = 0;
  int rounds = 0;
  for (const int wanted = TasksWanted(); tasks < wanted; ++rounds) {
    std::mt19937_64 random(rounds);
    const TinyJob::Options options = AnyOptions(random);
    const int64_t limit = (96 + static_cast<int64_t>(random() % 2000)) * kKib;
    std::vector<std::vector<int>> cuts;
    for (int step = 0; step < kSteps; ++step) {
      cuts.push_back(AnyCuts(random, static_cast<int>(options.layers) + 2));
    }
    SCOPED_TRACE(absl::StrCat("round ", rounds, ", limit ", limit));
    const Training tight = Train(options, limit, cuts);
    tasks += tight.tasks;
    const size_t steps = tight.losses.size();
    if (steps < kSteps) ++without_room;
    if (steps == 0) continue;
    const Training whole =
        Train(options, kPlenty, std::vector(steps, AnyCuts(random, 1)));
    tasks += whole.tasks;
    EXPECT_EQ(tight.losses, whole.losses);
    EXPECT_TRUE(tight.state == whole.state) << "parameters or state differ";
    if (HasFailure()) break;
  }
  RecordProperty("tasks", tasks);
  LOG(INFO) << tasks << " tasks in " << rounds << " rounds, of which "
            << without_room << " had too little room for some task";
  EXPECT_GT(without_room, 0) << "no limit was tight";
}

}  // namespace
}  // namespace hydra
