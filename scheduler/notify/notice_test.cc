#include "scheduler/notify/notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

Notice Failed() {
  Notice notice;
  notice.event = Notice::Event::kFailed;
  notice.job.set_job_id("j7");
  notice.job.set_sweep_id("s2");
  notice.job.set_name("gpt2");
  notice.job.set_owner("ada");
  notice.job.set_owner_user(1000);
  notice.job.set_reason("the loss is no number");
  notice.job.add_parameters("learning_rate=0.1");
  notice.job.add_parameters("seed=2");
  notice.job.set_step(40);
  notice.job.set_total_steps(100);
  notice.job.set_train_loss(2.5);
  return notice;
}

TEST(EnvironmentOfTest, SaysWhatIsKnownOfAJob) {
  EXPECT_THAT(
      EnvironmentOf(Failed()),
      ElementsAre("HYDRA_EVENT=failed", "HYDRA_SWEEP_ID=s2",
                  "HYDRA_JOB_NAME=gpt2", "HYDRA_OWNER=ada",
                  "HYDRA_OWNER_UID=1000", "HYDRA_JOB_ID=j7",
                  "HYDRA_REASON=the loss is no number",
                  "HYDRA_PARAMETERS=learning_rate=0.1 seed=2", "HYDRA_STEP=40",
                  "HYDRA_TOTAL_STEPS=100", "HYDRA_TRAIN_LOSS=2.5"));
}

TEST(EnvironmentOfTest, OfASweepItSaysHowItsJobsEnded) {
  Notice notice = Failed();
  notice.event = Notice::Event::kSweepEnded;
  notice.completed = 11;
  notice.failed = 1;
  const std::vector<std::string> environment = EnvironmentOf(notice);
  EXPECT_THAT(environment, Contains("HYDRA_EVENT=sweep_ended"));
  EXPECT_THAT(environment, Contains("HYDRA_COMPLETED_JOBS=11"));
  EXPECT_THAT(environment, Contains("HYDRA_FAILED_JOBS=1"));
  EXPECT_THAT(environment, Contains("HYDRA_CANCELLED_JOBS=0"));
  EXPECT_THAT(environment, Each(Not(StartsWith("HYDRA_JOB_ID="))));
}

TEST(EnvironmentOfTest, WhatUsersWroteIsOneShortLine) {
  Notice notice = Failed();
  notice.job.set_name("a\nSubject: b\x1b[31m");
  std::string reason = "x";
  while (reason.size() < 100'000) reason += "\xc3\xa9";
  notice.job.set_reason(reason);
  const std::vector<std::string> environment = EnvironmentOf(notice);
  for (const std::string& fact : environment) {
    EXPECT_EQ(fact.find('\n'), std::string::npos) << fact;
    EXPECT_EQ(fact.find('\x1b'), std::string::npos) << fact;
    EXPECT_LE(fact.size(), 4096 + std::string("HYDRA_REASON=").size());
    EXPECT_NE(static_cast<unsigned char>(fact.back()), 0xc3) << "half a letter";
  }
  EXPECT_THAT(environment, SizeIs(EnvironmentOf(Failed()).size()));
}

}  // namespace
}  // namespace hydra
