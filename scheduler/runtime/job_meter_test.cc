#include "scheduler/runtime/job_meter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

JobMeter::Seen Job(uid_t owner, v1::JobState state) {
  JobMeter::Seen job;
  job.owner = Caller{owner};
  job.state = state;
  job.step_tokens = 10;
  job.submitted_at = absl::FromUnixSeconds(100);
  return job;
}

TEST(JobMeterTest, CountsJobsByOwnerAndState) {
  JobMeter meter;
  const auto pending = Job(1000, v1::JOB_STATE_PENDING);
  const auto running = Job(1000, v1::JOB_STATE_RUNNING);
  const auto other = Job(1001, v1::JOB_STATE_RUNNING);
  meter.Come(pending);
  meter.Come(pending);
  meter.Come(other);
  meter.Change(pending, running);
  EXPECT_THAT(meter.jobs(),
              ElementsAre(Pair(Pair(Caller{1000}, v1::JOB_STATE_PENDING), 1),
                          Pair(Pair(Caller{1000}, v1::JOB_STATE_RUNNING), 1),
                          Pair(Pair(Caller{1001}, v1::JOB_STATE_RUNNING), 1)));
  meter.Go(running);
  meter.Go(other);
  EXPECT_THAT(meter.jobs(),
              ElementsAre(Pair(Pair(Caller{1000}, v1::JOB_STATE_PENDING), 1)));
}

TEST(JobMeterTest, StepsNeverFall) {
  JobMeter meter;
  auto before = Job(1000, v1::JOB_STATE_RUNNING);
  before.step = 500;
  meter.Come(before);
  EXPECT_EQ(meter.steps(), 0) << "an earlier daemon trained them";
  auto now = before;
  now.step = 503;
  meter.Change(before, now);
  EXPECT_EQ(meter.steps(), 3);
  EXPECT_EQ(meter.tokens(), 30);
  auto back = now;
  back.step = 400;
  meter.Change(now, back);
  EXPECT_EQ(meter.steps(), 3) << "it goes on from a checkpoint";
  meter.Change(back, now);
  EXPECT_EQ(meter.steps(), 106);
  EXPECT_EQ(meter.tokens(), 1060);
}

TEST(JobMeterTest, AJobWaitsUntilItsFirstTask) {
  JobMeter meter;
  const auto pending = Job(1000, v1::JOB_STATE_PENDING);
  auto running = Job(1000, v1::JOB_STATE_RUNNING);
  running.started_at = running.submitted_at + absl::Seconds(20);
  meter.Come(pending);
  meter.Come(running);
  EXPECT_EQ(meter.waits().sum(), 0) << "it began before it was watched";
  meter.Change(pending, running);
  meter.Change(running, pending);
  EXPECT_EQ(meter.waits().sum(), 20);
  EXPECT_EQ(meter.waits().counts()[3], 1);
}

}  // namespace
}  // namespace hydra
