#include "client/render/leaderboard.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

using Jobs = google::protobuf::RepeatedPtrField<v1::JobStatus>;

TEST(LeaderboardTest, RanksInTheServersOrderAndLeavesUnmeasuredJobsUnranked) {
  Jobs jobs;
  v1::JobStatus* best = jobs.Add();
  best->set_job_id("j2");
  best->add_parameters("learning_rate=0.001");
  best->add_parameters("optim=adamw");
  best->set_state(v1::JOB_STATE_COMPLETED);
  best->set_train_loss(3.1);
  best->set_validation_loss(3.25);
  best->set_validation_perplexity(25.79);
  best->set_test_perplexity(27.1);
  v1::JobStatus* second = jobs.Add();
  second->set_job_id("j1");
  second->set_name("plain");
  second->set_state(v1::JOB_STATE_RUNNING);
  second->set_train_loss(4);
  v1::JobStatus* failed = jobs.Add();
  failed->set_job_id("j3");
  failed->set_name("broken");
  failed->set_state(v1::JOB_STATE_FAILED);

  EXPECT_EQ(RenderLeaderboard(jobs, /*width=*/0, /*color=*/false),
            "RANK  JOB  PARAMETERS                       TRAIN LOSS  VAL LOSS  "
            "VAL PPL  TEST PPL  STATE\n"
            "   1  j2   learning_rate=0.001 optim=adamw      3.1000    3.2500  "
            "  25.79     27.10  completed\n"
            "   2  j1   plain                                4.0000         -  "
            "      -         -  running\n"
            "   -  j3   broken                                    -         -  "
            "      -         -  failed\n");
}

TEST(LeaderboardTest, ClassificationsHaveAccuracies) {
  Jobs jobs;
  v1::JobStatus* job = jobs.Add();
  job->set_job_id("j1");
  job->set_name("vit");
  job->set_state(v1::JOB_STATE_COMPLETED);
  job->set_train_loss(0.1);
  job->set_validation_loss(0.25);
  job->set_validation_accuracy(0.97222);
  job->set_test_accuracy(1);
  EXPECT_EQ(RenderLeaderboard(jobs, /*width=*/0, /*color=*/false),
            "RANK  JOB  PARAMETERS  TRAIN LOSS  VAL LOSS  VAL ACC  TEST ACC  "
            "STATE\n"
            "   1  j1   vit             0.1000    0.2500   0.9722    1.0000  "
            "completed\n");
  jobs.Add()->set_validation_perplexity(25);
  const std::string both =
      RenderLeaderboard(jobs, /*width=*/0, /*color=*/false);
  EXPECT_NE(both.find("VAL PPL  VAL ACC"), std::string::npos) << both;
}

}  // namespace
}  // namespace hydra
