// A job that stops early, with real daemons and workers that die meanwhile: it
// is, bit for bit, the job of so many steps.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::StartsWith;

constexpr int64_t kStopsAt = 22;

class EarlyStoppingTest : public ::testing::Test {
 protected:
  // No loss falls by so much: the first evaluation is after step 2, and ten
  // more are too many.
  v1::JobSpec Patient() const {
    v1::JobSpec spec = OfSteps(60);
    spec.mutable_evaluation()->set_early_stopping_patience(10);
    spec.mutable_evaluation()->set_early_stopping_threshold(1000);
    return spec;
  }
  v1::JobSpec OfSteps(int64_t steps) const {
    v1::JobSpec spec = SmallJob(files_, {2});
    spec.mutable_data()->add_test_files(files_.validation_tokens);
    spec.mutable_train()->set_max_steps(steps);
    spec.mutable_train()->set_dropout(0.1);
    spec.mutable_evaluation()->set_eval_steps(2);
    spec.mutable_checkpoint()->set_every_steps(5);
    return spec;
  }
  void ExpectStopped(const v1::JobDetail& job) const {
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED);
    EXPECT_THAT(job.status().reason(), StartsWith("stopped after step 22: "));
    EXPECT_EQ(job.status().step(), kStopsAt);
    EXPECT_EQ(job.status().total_steps(), 60);
    EXPECT_TRUE(job.status().has_test_loss());
    Cluster cluster({});
    const v1::JobDetail whole = cluster.Run(OfSteps(kStopsAt));
    EXPECT_EQ(whole.status().reason(), "");
    EXPECT_EQ(Difference(OutcomeOf(job), OutcomeOf(whole)), "");
  }

  const SmallJobFiles files_ = MakeSmallJobFiles(FreshDirectory());
};

TEST_F(EarlyStoppingTest, AJobThatStopsIsOneOfSoManySteps) {
  Cluster::Options options = TwoDevices();
  options.settings.push_back("lookahead=2");
  Cluster cluster(options);
  ExpectStopped(cluster.Run(Patient()));
}

TEST_F(EarlyStoppingTest, ItStopsThereThoughDaemonAndPoolAreLost) {
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(Patient());
  for (int64_t step : {3, 8, 13}) {
    cluster.AwaitStep(job, step);
    cluster.KillDaemon();
    if (step == 13) cluster.LosePool();
    cluster.StartDaemon();
  }
  ExpectStopped(cluster.AwaitEnd(job));
}

}  // namespace
}  // namespace hydra
