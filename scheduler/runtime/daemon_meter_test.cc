#include "scheduler/runtime/daemon_meter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TaskTrace Task(uint64_t worker, worker::v1::TaskKind kind,
               absl::Duration took) {
  TaskTrace task;
  task.worker = WorkerId(worker);
  task.kind = kind;
  task.outcome = v1::TASK_OUTCOME_COMMITTED;
  task.begun_at = absl::FromUnixSeconds(100);
  task.ended_at = task.begun_at + took;
  task.copy = took / 4;
  task.promoted_bytes = 100;
  task.demoted_bytes = 10;
  return task;
}

DaemonMeter::User User(uid_t uid) { return {false, Caller{uid}}; }

TEST(DaemonMeterTest, AddsWhatTasksTookByUserAndDevice) {
  DaemonMeter meter;
  const auto forward = worker::v1::TASK_KIND_FORWARD;
  meter.Add(Task(1, forward, absl::Seconds(2)), Caller{1000});
  meter.Add(Task(1, forward, absl::Seconds(3)), Caller{1000});
  meter.Add(Task(1, forward, absl::Seconds(4)), Caller{1001});
  meter.Add(Task(2, forward, absl::Seconds(8)), Caller());
  TaskTrace failed = Task(2, forward, absl::Seconds(16));
  failed.outcome = v1::TASK_OUTCOME_FAILED;
  meter.Add(failed, Caller{1000});

  const DaemonMeter::Numbers numbers = meter.numbers();
  EXPECT_THAT(
      numbers.device_time,
      ElementsAre(
          Pair(Pair(User(1000), WorkerId(1)), absl::Seconds(5)),
          Pair(Pair(User(1000), WorkerId(2)), absl::Seconds(16)),
          Pair(Pair(User(1001), WorkerId(1)), absl::Seconds(4)),
          Pair(Pair(User(kUnknownUser), WorkerId(2)), absl::Seconds(8))));
  EXPECT_THAT(numbers.copy_time,
              ElementsAre(Pair(WorkerId(1), absl::Seconds(9) / 4),
                          Pair(WorkerId(2), absl::Seconds(6))));
  EXPECT_EQ(numbers.link_bytes.at(WorkerId(1)).to_device, 300);
  EXPECT_EQ(numbers.link_bytes.at(WorkerId(2)).to_host, 20);
  EXPECT_THAT(
      numbers.tasks,
      ElementsAre(Pair(Pair(WorkerId(1), v1::TASK_OUTCOME_COMMITTED), 3),
                  Pair(Pair(WorkerId(2), v1::TASK_OUTCOME_COMMITTED), 1),
                  Pair(Pair(WorkerId(2), v1::TASK_OUTCOME_FAILED), 1)));
}

TEST(DaemonMeterTest, PreparingTakesNoDevice) {
  DaemonMeter meter;
  meter.Add(Task(1, worker::v1::TASK_KIND_PREPARE, absl::Seconds(2)),
            Caller{1000});
  EXPECT_TRUE(meter.numbers().device_time.empty());
  EXPECT_TRUE(meter.numbers().link_bytes.empty());
  EXPECT_EQ(meter.numbers().tasks.size(), 1);
}

TEST(DaemonMeterTest, NothingFallsWhenAClockIsSetBack) {
  DaemonMeter meter;
  meter.Add(Task(1, worker::v1::TASK_KIND_FORWARD, -absl::Seconds(2)),
            Caller{1000});
  EXPECT_THAT(
      meter.numbers().device_time,
      ElementsAre(Pair(Pair(User(1000), WorkerId(1)), absl::ZeroDuration())));
}

TEST(DaemonMeterTest, UsersBeyondTheFirstCountTogether) {
  DaemonMeter meter;
  const uid_t users = DaemonMeter::kMostUsers + 3;
  for (int round = 0; round < 2; ++round) {
    for (uid_t user = 0; user < users; ++user) {
      meter.Add(Task(1, worker::v1::TASK_KIND_FORWARD, absl::Seconds(1)),
                Caller{user});
    }
  }
  const DaemonMeter::Numbers numbers = meter.numbers();
  ASSERT_EQ(numbers.device_time.size(), DaemonMeter::kMostUsers + 1);
  const auto& [rest, time] = *numbers.device_time.rbegin();
  EXPECT_TRUE(rest.first.other);
  EXPECT_EQ(time, absl::Seconds(6));
}

TEST(DaemonMeterTest, CountsTurns) {
  DaemonMeter meter;
  meter.AddTurn(absl::Microseconds(50));
  meter.AddTurn(absl::Seconds(2));
  const Histogram decisions = meter.numbers().decisions;
  EXPECT_EQ(decisions.counts().front(), 1);
  EXPECT_EQ(decisions.counts()[decisions.counts().size() - 2], 1);
  EXPECT_DOUBLE_EQ(decisions.sum(), 2.00005);
}

}  // namespace
}  // namespace hydra
