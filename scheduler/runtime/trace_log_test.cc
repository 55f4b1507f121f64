#include "scheduler/runtime/trace_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kBegin = absl::FromUnixSeconds(1000);

TaskTrace Task(int number) {
  TaskTrace task;
  task.step = number;
  task.ended_at = kBegin + absl::Seconds(number);
  return task;
}

std::vector<int64_t> StepsOf(const TraceLog::Page<TaskTrace>& page) {
  std::vector<int64_t> steps;
  for (const TaskTrace& task : page.entries) steps.push_back(task.step);
  return steps;
}

TEST(TraceLogTest, KeepsTheNewestInTheirOrder) {
  TraceLog log({/*tasks=*/3, /*decisions=*/1}, kBegin);
  EXPECT_THAT(log.Tasks(0).entries, IsEmpty());
  for (int i = 0; i < 3; ++i) log.Add(Task(i));
  EXPECT_THAT(StepsOf(log.Tasks(0)), ElementsAre(0, 1, 2));
  EXPECT_THAT(StepsOf(log.Tasks(1)), ElementsAre(1, 2));
  EXPECT_EQ(log.complete_since(), kBegin);
  for (int i = 3; i < 5; ++i) log.Add(Task(i));
  EXPECT_THAT(StepsOf(log.Tasks(0)), ElementsAre(2, 3, 4));
  EXPECT_EQ(log.complete_since(), Task(1).ended_at);
  EXPECT_THAT(log.Tasks(log.Tasks(0).next).entries, IsEmpty());

  for (int64_t step : {7, 8}) {
    DecisionTrace decision;
    decision.step = step;
    log.Add(decision);
  }
  ASSERT_THAT(log.Decisions(0).entries, SizeIs(1));
  EXPECT_EQ(log.Decisions(0).entries[0].step, 8);
}

TEST(TraceLogTest, IsReadInPieces) {
  constexpr int kTasks = TraceLog::kMostInOneGo + 5;
  TraceLog log({}, kBegin);
  for (int i = 0; i < kTasks; ++i) log.Add(Task(i));
  const TraceLog::Page<TaskTrace> first = log.Tasks(0);
  EXPECT_THAT(first.entries, SizeIs(TraceLog::kMostInOneGo));
  const TraceLog::Page<TaskTrace> rest = log.Tasks(first.next);
  EXPECT_THAT(StepsOf(rest), ElementsAre(kTasks - 5, kTasks - 4, kTasks - 3,
                                         kTasks - 2, kTasks - 1));
}

}  // namespace
}  // namespace hydra
