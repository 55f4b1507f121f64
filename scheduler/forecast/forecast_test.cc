#include "scheduler/forecast/forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/policy/fifo.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

using ::testing::IsEmpty;

constexpr Account kAnn{1};
constexpr Account kBob{2};

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

// One device, and a pool of 1000 bytes.
QueueSnapshot Queue() {
  QueueSnapshot queue;
  queue.now = kNow;
  queue.ready_devices = 1;
  queue.machine.devices = 1;
  queue.machine.promised_bytes = 1000;
  return queue;
}

// One that has 10 bytes of the pool.
QueuedJob& Add(QueueSnapshot& queue, Account account,
               std::optional<absl::Duration> remaining) {
  QueuedJob job;
  job.id = JobId(queue.jobs.size() + 1);
  job.sweep = SweepId(1);
  job.account = account;
  job.submitted = kNow;
  job.remaining = remaining;
  job.admitted = true;
  job.demand.emplace().set_total_bytes(10);
  queue.jobs.push_back(job);
  return queue.jobs.back();
}

double MinutesTo(std::optional<absl::Time> time) {
  return time.has_value() ? absl::ToDoubleMinutes(*time - kNow) : -1;
}

double End(const Forecasts& forecasts, uint64_t job) {
  return MinutesTo(forecasts.at(JobId(job)).end);
}

double Start(const Forecasts& forecasts, uint64_t job) {
  return MinutesTo(forecasts.at(JobId(job)).start);
}

Forecasts Made(const QueueSnapshot& queue) {
  return ForecastOf(queue, ShardedLrtf());
}

TEST(ForecastTest, AJobAloneEndsWhenItHasDoneItsRest) {
  QueueSnapshot queue = Queue();
  queue.ready_devices = 4;
  Add(queue, kAnn, absl::Minutes(30)).begun = true;
  const Forecasts forecasts = Made(queue);
  EXPECT_NEAR(End(forecasts, 1), 30, 0.1);
  EXPECT_FALSE(forecasts.at(JobId(1)).start.has_value());
}

TEST(ForecastTest, TheOrderIsThePolicys) {
  QueueSnapshot queue = Queue();
  Add(queue, kAnn, absl::Minutes(100));
  Add(queue, kAnn, absl::Minutes(40));
  const Forecasts longest = Made(queue);
  EXPECT_NEAR(End(longest, 1), 140, 0.5);
  EXPECT_NEAR(End(longest, 2), 140, 0.5);
  EXPECT_NEAR(Start(longest, 1), 0, 0.01);
  EXPECT_NEAR(Start(longest, 2), 60, 0.5);
  const Forecasts first = ForecastOf(queue, Fifo());
  EXPECT_NEAR(End(first, 1), 100, 0.5);
  EXPECT_NEAR(End(first, 2), 140, 0.5);
  EXPECT_NEAR(Start(first, 2), 100, 0.5);
}

TEST(ForecastTest, AccountsShareByWeightAndNobodyUsesMoreThanHeHasJobs) {
  QueueSnapshot queue = Queue();
  queue.machine.shares.weights[kBob] = 3;
  Add(queue, kAnn, absl::Minutes(60));
  Add(queue, kBob, absl::Minutes(60));
  const Forecasts one = Made(queue);
  EXPECT_NEAR(End(one, 2), 80, 1);
  EXPECT_NEAR(End(one, 1), 120, 1);
  queue.ready_devices = 2;
  const Forecasts two = Made(queue);
  EXPECT_NEAR(End(two, 1), 60, 0.5);
  EXPECT_NEAR(End(two, 2), 60, 0.5);
}

TEST(ForecastTest, WhoHasUsedLessComesFirst) {
  QueueSnapshot queue = Queue();
  queue.uses = {{kAnn, absl::Minutes(20)}, {kBob, absl::ZeroDuration()}};
  queue.level = absl::Minutes(20);
  Add(queue, kAnn, absl::Minutes(60));
  Add(queue, kBob, absl::Minutes(60));
  const Forecasts forecasts = Made(queue);
  // Twenty alone, then the other forty beside as many of the other's.
  EXPECT_NEAR(End(forecasts, 2), 100, 2);
  EXPECT_NEAR(End(forecasts, 1), 120, 2);
}

TEST(ForecastTest, AHigherPriorityGoesFirst) {
  QueueSnapshot queue = Queue();
  Add(queue, kAnn, absl::Minutes(60));
  Add(queue, kAnn, absl::Minutes(10)).priority = 1;
  const Forecasts forecasts = Made(queue);
  EXPECT_NEAR(End(forecasts, 2), 10, 0.1);
  EXPECT_NEAR(End(forecasts, 1), 70, 0.5);
}

TEST(ForecastTest, WhatHasNoRoomInThePoolStartsWhenSomeIsFree) {
  QueueSnapshot queue = Queue();
  queue.ready_devices = 2;
  Add(queue, kAnn, absl::Minutes(30)).demand->set_total_bytes(600);
  QueuedJob& large = Add(queue, kAnn, absl::Minutes(30));
  large.admitted = false;
  large.demand->set_total_bytes(600);
  QueuedJob& behind = Add(queue, kAnn, absl::Minutes(5));
  behind.admitted = false;
  QueuedJob& others = Add(queue, kBob, absl::Minutes(5));
  others.admitted = false;
  QueuedJob& never = Add(queue, Account{3}, absl::Minutes(5));
  never.admitted = false;
  never.demand->set_total_bytes(1001);
  const Forecasts forecasts = Made(queue);
  EXPECT_NEAR(Start(forecasts, 2), 30, 0.5);
  EXPECT_NEAR(End(forecasts, 2), 60, 1);
  EXPECT_NEAR(Start(forecasts, 3), 30, 0.5)
      << "of one account, first come, first served";
  EXPECT_NEAR(End(forecasts, 4), 5, 0.1);
  EXPECT_FALSE(forecasts.contains(JobId(5)));
}

TEST(ForecastTest, AJobOfWhichNothingIsKnownDelaysOthersAndHasNoForecast) {
  QueueSnapshot queue = Queue();
  Add(queue, kAnn, absl::Minutes(30));
  Add(queue, kBob, std::nullopt).demand.reset();
  const Forecasts forecasts = Made(queue);
  EXPECT_NEAR(End(forecasts, 1), 60, 0.5);
  EXPECT_FALSE(forecasts.contains(JobId(2)));
  queue.jobs.front().remaining.reset();
  EXPECT_THAT(Made(queue), IsEmpty());
}

TEST(ForecastTest, WhatWasMeasuredCorrectsTheSweepsOtherEstimates) {
  QueueSnapshot queue = Queue();
  queue.ready_devices = 3;
  Add(queue, kAnn, absl::Minutes(30)).measured_over_estimated = 2;
  Add(queue, kAnn, absl::Minutes(20));
  Add(queue, kAnn, absl::Minutes(20)).sweep = SweepId(2);
  const Forecasts forecasts = Made(queue);
  EXPECT_NEAR(End(forecasts, 1), 30, 0.1) << "it has its own";
  EXPECT_NEAR(End(forecasts, 2), 40, 0.1);
  EXPECT_NEAR(End(forecasts, 3), 20, 0.1);
}

TEST(ForecastTest, AnAssumedTimeIsNoneBeforeSomethingWasMeasured) {
  QueueSnapshot queue = Queue();
  queue.ready_devices = 2;
  Add(queue, kAnn, absl::Minutes(30)).assumed = true;
  EXPECT_THAT(Made(queue), IsEmpty());
  Add(queue, kAnn, absl::Minutes(30)).measured_over_estimated = 0.5;
  EXPECT_NEAR(End(Made(queue), 1), 15, 0.1);
}

TEST(ForecastTest, WithoutADeviceNothingEnds) {
  QueueSnapshot queue = Queue();
  Add(queue, kAnn, absl::Minutes(30));
  queue.ready_devices = 0;
  EXPECT_THAT(Made(queue), IsEmpty());
}

TEST(ReadyDevicesTest, OneThatIsDrainedOrNotThereTakesNoTasks) {
  namespace v1 = hydra::v1;
  std::vector<v1::WorkerStatus> workers(4);
  for (v1::WorkerStatus& worker : workers) {
    worker.set_state(v1::WORKER_STATE_READY);
  }
  EXPECT_EQ(ReadyDevices(workers), 4);
  workers[0].set_draining(true);
  workers[1].set_state(v1::WORKER_STATE_QUARANTINED);
  workers[2].set_state(v1::WORKER_STATE_STARTING);
  EXPECT_EQ(ReadyDevices(workers), 1);
  workers[3].set_draining(true);
  EXPECT_EQ(ReadyDevices(workers), 0) << "the server is in maintenance";
}

TEST(ForecastTest, WhatNeverEndsHasNoForecastAndKeepsNobodyFromHis) {
  QueueSnapshot queue = Queue();
  queue.ready_devices = 2;
  Add(queue, kAnn, absl::Hours(24 * 365 * 1000));
  Add(queue, kAnn, absl::Hours(24 * 365 * 1000));
  Add(queue, kBob, absl::Minutes(10));
  const Forecasts forecasts = Made(queue);
  EXPECT_NEAR(End(forecasts, 3), 10, 0.1);
  EXPECT_EQ(forecasts.size(), 1);
}

}  // namespace
}  // namespace hydra
