#include "scheduler/service/log_store.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

constexpr JobId kJob(1);

void AppendNumbered(LogStore& store, int from, int to) {
  for (int i = from; i < to; ++i) {
    hydra::v1::LogLine line;
    line.set_text(std::to_string(i));
    store.Append(kJob, line);
  }
}

TEST(LogStoreTest, ReadsPageByPage) {
  LogStore store(10);
  AppendNumbered(store, 0, 5);
  const LogStore::Page first = store.Read(kJob, 0, 3);
  ASSERT_EQ(first.lines.size(), 3);
  EXPECT_EQ(first.lines[0].text(), "0");
  const LogStore::Page second = store.Read(kJob, first.next, 3);
  ASSERT_EQ(second.lines.size(), 2);
  EXPECT_EQ(second.lines[1].text(), "4");
  EXPECT_TRUE(store.Read(kJob, second.next, 3).lines.empty());
}

TEST(LogStoreTest, CountsWhatItDropped) {
  LogStore store(3);
  AppendNumbered(store, 0, 10);
  const LogStore::Page page = store.Read(kJob, 2, 100);
  EXPECT_EQ(page.dropped, 5);
  ASSERT_EQ(page.lines.size(), 3);
  EXPECT_EQ(page.lines[0].text(), "7");
  EXPECT_EQ(page.next, 10);
}

TEST(LogStoreTest, TailBeginsAtTheNewestLines) {
  LogStore store(10);
  AppendNumbered(store, 0, 6);
  EXPECT_EQ(store.TailStart(kJob, 2), 4);
  EXPECT_EQ(store.TailStart(kJob, 100), 0);
  EXPECT_EQ(store.TailStart(JobId(9), 2), 0);
}

}  // namespace
}  // namespace hydra
