#include "worker/exec/testing/tiny_training.h"

#include "gtest/gtest.h"
#include "worker/exec/task_runner.h"

namespace hydra {

TinyOutcome TrainTiny(const TinyJob::Options& options,
                      const std::vector<int>& cuts, Device* device,
                      bool overlapped) {
  TinyJob job(options, testing::TempDir());
  job.SetCuts(cuts);
  TaskRunner runner(device, job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  TinyOutcome outcome;
  for (int step = 0; step < 3; ++step) {
    outcome.losses.push_back(overlapped ? job.OverlappedStep(runner)
                                        : job.Step(runner));
  }
  job.Finish();
  outcome.losses.push_back(job.Evaluate(runner, worker::v1::SPLIT_VALIDATION));
  outcome.state = job.State();
  return outcome;
}

void ExpectSame(const TinyOutcome& actual, const TinyOutcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
}

}  // namespace hydra
