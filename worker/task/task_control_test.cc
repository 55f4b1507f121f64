#include "worker/task/task_control.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(TaskControlTest, ProgressRisesWithEachAdvance) {
  TaskControl control;
  EXPECT_EQ(control.progress(), 0);
  EXPECT_TRUE(control.Advance().ok());
  control.AdvanceOrThrow();
  EXPECT_EQ(control.progress(), 2);
}

TEST(TaskControlTest, AStoppedTaskIsAbortedAtItsNextAdvance) {
  TaskControl control;
  control.Stop();
  EXPECT_EQ(control.Advance().code(), absl::StatusCode::kAborted);
  EXPECT_THROW(control.AdvanceOrThrow(), TaskStopped);
}

}  // namespace
}  // namespace hydra
