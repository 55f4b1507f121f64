#include "scheduler/storage/log_store.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

constexpr JobId kJob(1);
constexpr int64_t kManyBytes = 1 << 20;

hydra::v1::LogLine Line(const std::string& text) {
  hydra::v1::LogLine line;
  line.set_text(text);
  return line;
}

void AppendNumbered(LogStore& store, int from, int to) {
  for (int i = from; i < to; ++i) {
    store.Append(kJob, Line(std::to_string(i)));
  }
}

TEST(LogStoreTest, ReadsPageByPage) {
  LogStore store({10, kManyBytes}, {1000, kManyBytes});
  AppendNumbered(store, 0, 5);
  const LogStore::Page first = store.Read(kJob, 0, 3);
  ASSERT_EQ(first.lines.size(), 3);
  EXPECT_EQ(first.lines[0]->text(), "0");
  const LogStore::Page second = store.Read(kJob, first.next, 3);
  ASSERT_EQ(second.lines.size(), 2);
  EXPECT_EQ(second.lines[1]->text(), "4");
  EXPECT_TRUE(store.Read(kJob, second.next, 3).lines.empty());
}

TEST(LogStoreTest, CountsWhatItDropped) {
  LogStore store({3, kManyBytes}, {1000, kManyBytes});
  AppendNumbered(store, 0, 10);
  const LogStore::Page page = store.Read(kJob, 2, 100);
  EXPECT_EQ(page.dropped, 5);
  ASSERT_EQ(page.lines.size(), 3);
  EXPECT_EQ(page.lines[0]->text(), "7");
  EXPECT_EQ(page.next, 10);
}

TEST(LogStoreTest, TailBeginsAtTheNewestLines) {
  LogStore store({10, kManyBytes}, {1000, kManyBytes});
  AppendNumbered(store, 0, 6);
  EXPECT_EQ(store.TailStart(kJob, 2), 4);
  EXPECT_EQ(store.TailStart(kJob, 100), 0);
  EXPECT_EQ(store.TailStart(JobId(9), 2), 0);
}

TEST(LogStoreTest, TheQuietestJobIsForgottenFirst) {
  LogStore store({10, kManyBytes}, {4, kManyBytes});
  for (uint64_t job : {1, 2, 1, 3}) store.Append(JobId(job), Line("x"));
  store.Append(JobId(3), Line("one too many"));
  EXPECT_TRUE(store.Read(JobId(2), 0, 10).lines.empty());
  EXPECT_EQ(store.Read(JobId(1), 0, 10).lines.size(), 2);
  EXPECT_EQ(store.Read(JobId(3), 0, 10).lines.size(), 2);
  // Whoever read some of job 2's lines before is told of the others.
  EXPECT_EQ(store.TailStart(JobId(2), 10), 1);
  store.Append(JobId(2), Line("again"));
  const LogStore::Page page = store.Read(JobId(2), 0, 10);
  EXPECT_EQ(page.dropped, 1);
  ASSERT_EQ(page.lines.size(), 1);
  EXPECT_EQ(page.lines[0]->text(), "again");
  EXPECT_EQ(page.next, 2);
}

TEST(LogStoreTest, LongLinesLeaveRoomForFewer) {
  LogStore store({10, 8}, {1000, 12});
  for (const char* text : {"aaaa", "bbbb", "cccc"}) {
    store.Append(kJob, Line(text));
  }
  EXPECT_EQ(store.Read(kJob, 0, 10).dropped, 1);
  EXPECT_EQ(store.Read(kJob, 0, 10).lines.size(), 2);
  // More than a job may have; the newest line stays, whatever its length.
  store.Append(JobId(2), Line("a long line"));
  EXPECT_EQ(store.Read(JobId(2), 0, 10).lines.size(), 1);
  EXPECT_TRUE(store.Read(kJob, 0, 10).lines.empty());
  EXPECT_EQ(store.TailStart(kJob, 10), 3);
}

}  // namespace
}  // namespace hydra
