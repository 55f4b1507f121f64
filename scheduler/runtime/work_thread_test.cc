#include "scheduler/runtime/work_thread.h"

#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using testing::ElementsAre;

TEST(WorkThreadTest, DoesWorkInTheOrderOfItsAdding) {
  std::vector<int> done;
  absl::Notification all_done;
  WorkThread thread;
  for (int i = 0; i < 3; ++i) thread.Add([&done, i] { done.push_back(i); });
  thread.Add([&] { all_done.Notify(); });
  all_done.WaitForNotification();
  EXPECT_THAT(done, ElementsAre(0, 1, 2));
}

TEST(WorkThreadTest, StopWaitsForWhatWasAddedAndDropsTheRest) {
  std::vector<int> done;
  absl::Notification stopping;
  WorkThread thread;
  thread.Add([&] {
    stopping.WaitForNotification();
    done.push_back(0);
  });
  thread.Add([&] { done.push_back(1); });
  stopping.Notify();
  thread.Stop();
  thread.Add([&] { done.push_back(2); });
  thread.Stop();
  EXPECT_THAT(done, ElementsAre(0, 1));
}

TEST(WorkThreadTest, TheDestructorStopsIt) {
  int done = 0;
  {
    WorkThread thread;
    thread.Add([&done] { ++done; });
  }
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace hydra
