#include "scheduler/forecast/job_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/policy/fifo.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

JobView View(uint64_t id, absl::Duration remaining) {
  JobView job;
  job.id = JobId(id);
  job.remaining = remaining;
  job.submitted = absl::FromUnixSeconds(static_cast<int64_t>(id));
  return job;
}

// When each job ends on so many devices.
std::map<uint64_t, double> Ends(JobFlow flow, double devices) {
  std::map<uint64_t, double> ends;
  double now = 0;
  while (flow.size() > 0) {
    std::vector<JobId> started;
    flow.Serve(devices, &started);
    const double seconds = flow.SecondsToChange();
    std::vector<JobId> ended;
    flow.Advance(seconds, &ended);
    now += seconds;
    for (JobId id : ended) ends[id.value()] = now;
  }
  return ends;
}

TEST(JobFlowTest, NothingChangesWithoutADevice) {
  const ShardedLrtf policy;
  JobFlow flow(&policy);
  flow.Add(View(1, absl::Seconds(10)));
  std::vector<JobId> started;
  flow.Serve(0, &started);
  EXPECT_THAT(started, IsEmpty());
  EXPECT_TRUE(std::isinf(flow.SecondsToChange()));
}

TEST(JobFlowTest, AJobUsesOneDeviceAtMost) {
  const ShardedLrtf policy;
  JobFlow flow(&policy);
  flow.Add(View(1, absl::Seconds(10)));
  const std::map<uint64_t, double> ends = Ends(flow, 3);
  EXPECT_NEAR(ends.at(1), 10, 0.01);
}

TEST(JobFlowTest, TheLongestComesDownToTheOthersAndEndsWithThem) {
  const ShardedLrtf policy;
  JobFlow flow(&policy);
  for (uint64_t id = 1; id <= 4; ++id) {
    flow.Add(View(id, absl::Seconds(id == 1   ? 1
                                    : id == 2 ? 10
                                    : id == 3 ? 5
                                              : 8)));
  }
  // 24 seconds of work on two devices.
  for (const auto& [id, end] : Ends(flow, 2)) EXPECT_NEAR(end, 12, 0.05) << id;
}

TEST(JobFlowTest, WhatAPolicyDoesNotAlternateRunsInTurn) {
  const Fifo policy;
  JobFlow flow(&policy);
  flow.Add(View(1, absl::Seconds(10)));
  flow.Add(View(2, absl::Seconds(3)));
  flow.Add(View(3, absl::Seconds(4)));
  std::vector<JobId> started;
  flow.Serve(1, &started);
  EXPECT_THAT(started, ElementsAre(JobId(1)));
  const std::map<uint64_t, double> ends = Ends(flow, 1);
  EXPECT_NEAR(ends.at(1), 10, 0.01);
  EXPECT_NEAR(ends.at(2), 13, 0.01);
  EXPECT_NEAR(ends.at(3), 17, 0.01);
}

TEST(JobFlowTest, SaysOnceWhoStarts) {
  const ShardedLrtf policy;
  JobFlow flow(&policy);
  flow.Add(View(1, absl::Seconds(10)));
  flow.Add(View(2, absl::Seconds(4)));
  std::vector<JobId> started;
  std::vector<JobId> ended;
  flow.Serve(1, &started);
  EXPECT_THAT(started, ElementsAre(JobId(1)));
  EXPECT_NEAR(flow.SecondsToChange(), 6, 0.01);
  flow.Advance(6, &ended);
  started.clear();
  flow.Serve(1, &started);
  EXPECT_THAT(started, UnorderedElementsAre(JobId(1), JobId(2)))
      << "they go on alike from here on";
  started.clear();
  flow.Serve(1, &started);
  EXPECT_THAT(started, IsEmpty());
  EXPECT_THAT(ended, IsEmpty());
}

TEST(JobFlowTest, OneThatComesLaterTakesItsPlace) {
  const ShardedLrtf policy;
  JobFlow flow(&policy);
  flow.Add(View(1, absl::Seconds(10)));
  std::vector<JobId> started;
  std::vector<JobId> ended;
  flow.Serve(1, &started);
  flow.Advance(2, &ended);
  flow.Add(View(2, absl::Seconds(20)));
  EXPECT_EQ(flow.size(), 2);
  started.clear();
  flow.Serve(1, &started);
  EXPECT_THAT(started, ElementsAre(JobId(2)));
  EXPECT_NEAR(flow.SecondsToChange(), 12, 0.01);
}

}  // namespace
}  // namespace hydra
