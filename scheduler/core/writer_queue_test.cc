#include "scheduler/core/writer_queue.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(WriterQueueTest, TheOneThatIsDueLongestIsNext) {
  WriterQueue queue;
  EXPECT_FALSE(queue.Next().has_value());
  queue.Join(JobId(1), absl::FromUnixSeconds(20));
  queue.Join(JobId(2), absl::FromUnixSeconds(10));
  EXPECT_EQ(queue.Next(), JobId(2));
  EXPECT_TRUE(queue.WouldBeNext(absl::FromUnixSeconds(9)));
  EXPECT_FALSE(queue.WouldBeNext(absl::FromUnixSeconds(10)));
  queue.Leave(JobId(2));
  queue.Leave(JobId(2));
  EXPECT_EQ(queue.Next(), JobId(1));
  EXPECT_FALSE(queue.contains(JobId(2)));
}

TEST(WriterQueueTest, WhoJoinsAgainKeepsItsPlace) {
  WriterQueue queue;
  queue.Join(JobId(1), absl::FromUnixSeconds(10));
  queue.Join(JobId(1), absl::FromUnixSeconds(30));
  queue.Join(JobId(2), absl::FromUnixSeconds(20));
  EXPECT_EQ(queue.Next(), JobId(1));
  queue.Leave(JobId(1));
  EXPECT_EQ(queue.Next(), JobId(2));
}

}  // namespace
}  // namespace hydra
