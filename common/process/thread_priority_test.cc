#include "common/process/thread_priority.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "gtest/gtest.h"

namespace hydra {
namespace {

int Niceness() { return getpriority(PRIO_PROCESS, 0); }

TEST(ThreadPriorityTest, StepsBackOnceAndAlone) {
  const int before = Niceness();
  int once = before;
  int twice = before;
  std::thread thread([&] {
    StepBack();
    once = Niceness();
    StepBack();
    twice = Niceness();
  });
  thread.join();
  EXPECT_EQ(once, std::min(before + 10, 19));
  EXPECT_EQ(twice, once);
  EXPECT_EQ(Niceness(), before);
}

}  // namespace
}  // namespace hydra
