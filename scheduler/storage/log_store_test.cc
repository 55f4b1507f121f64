#include "scheduler/storage/log_store.h"

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/storage/log_record.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

constexpr JobId kJob(1);

v1::LogLine Line(const std::string& text, const std::string& source = "cpu:0",
                 absl::Time time = absl::Now()) {
  v1::LogLine line;
  line.set_text(text);
  line.set_source(source);
  *line.mutable_time() = ToProto(time);
  return line;
}

class LogStoreTest : public testing::Test {
 protected:
  LogStoreTest() { Start(); }

  LogStore::Options Options() const {
    LogStore::Options options;
    options.directory = scratch_.PathOf("jobs");
    return options;
  }
  void Start() { Start(Options()); }
  void Start(const LogStore::Options& options) {
    store_.reset();
    store_ = std::make_unique<LogStore>(options);
  }

  // What it must have done by then.
  void AwaitWritten(JobId job = kJob) const {
    while (store_->IsBusyWith(job)) absl::SleepFor(absl::Milliseconds(1));
  }
  void Append(const std::string& text, JobId job = kJob) {
    store_->Append(job, Line(text));
    AwaitWritten(job);
  }
  // Texts "from" to "to - 1".
  void AppendNumbered(int from, int to, JobId job = kJob) {
    for (int i = from; i < to; ++i) Append(absl::StrCat(i), job);
  }

  struct Seen {
    std::vector<std::string> texts;
    std::vector<int64_t> numbers;
    int64_t dropped = 0;
  };
  // All from there on.
  Seen ReadFrom(LogStore::Cursor& cursor, JobId job = kJob) const {
    Seen seen;
    while (true) {
      const LogStore::Page page = store_->Read(job, cursor);
      seen.dropped += page.dropped;
      if (page.lines.empty() && page.dropped == 0) return seen;
      for (const auto& line : page.lines) {
        seen.texts.push_back(line->text());
        seen.numbers.push_back(line->sequence());
      }
    }
  }
  Seen ReadAll(int64_t from = 1, JobId job = kJob) const {
    LogStore::Cursor cursor;
    cursor.next = from;
    return ReadFrom(cursor, job);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& [name, text] : ReadFiles(scratch_.PathOf("jobs"))) {
      names.push_back(name);
    }
    return names;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(LogStoreTest, LinesAreNumberedFromOne) {
  AppendNumbered(1, 4);
  EXPECT_THAT(ReadAll().texts, ElementsAre("1", "2", "3"));
  EXPECT_THAT(ReadAll().numbers, ElementsAre(1, 2, 3));
  EXPECT_THAT(ReadAll(3).texts, ElementsAre("3"));
  EXPECT_THAT(ReadAll(4).texts, IsEmpty());
  EXPECT_EQ(store_->End(kJob), 4);
  EXPECT_EQ(store_->TailStart(kJob, 2), 2);
  EXPECT_EQ(store_->TailStart(kJob, 100), 1);
  EXPECT_EQ(store_->End(JobId(9)), 1);
  EXPECT_THAT(ReadAll(1, JobId(9)).texts, IsEmpty());
}

TEST_F(LogStoreTest, AReaderGoesOnWhereItWas) {
  LogStore::Cursor cursor;
  for (int i = 1; i <= 20; ++i) {
    Append(absl::StrCat(i));
    EXPECT_THAT(ReadFrom(cursor).texts, ElementsAre(absl::StrCat(i)));
  }
}

TEST_F(LogStoreTest, AnotherProcessGoesOnWithTheNumbers) {
  LogStore::Cursor cursor;
  AppendNumbered(1, 4);
  EXPECT_THAT(ReadFrom(cursor).numbers, ElementsAre(1, 2, 3));
  Start();
  EXPECT_THAT(ReadAll().texts, ElementsAre("1", "2", "3"));
  EXPECT_THAT(ReadFrom(cursor).texts, IsEmpty());
  AppendNumbered(4, 6);
  EXPECT_THAT(ReadFrom(cursor).numbers, ElementsAre(4, 5));
  // Without anybody having read before.
  Start();
  Append("6");
  EXPECT_THAT(ReadAll().numbers, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(LogStoreTest, WhatAKillBrokeOffIsNoLineAndItsNumberIsGivenAgain) {
  AppendNumbered(1, 4);
  store_.reset();
  const std::string path = scratch_.PathOf("jobs/" + ToString({kJob, 1}));
  const std::string text = ReadFile(path);
  WriteFile(path, text + LogRecord(4, Line("broken")).substr(0, 20));
  Start();
  EXPECT_THAT(ReadAll().numbers, ElementsAre(1, 2, 3));
  Append("4");
  EXPECT_THAT(ReadAll().texts, ElementsAre("1", "2", "3", "4"));
}

TEST_F(LogStoreTest, TheOldestSegmentsGoAndTheirLinesAreCounted) {
  LogStore::Options options = Options();
  options.segment_bytes = 200;
  options.most_segments = 3;
  Start(options);
  LogStore::Cursor cursor;
  Append("1");
  ASSERT_THAT(ReadFrom(cursor).numbers, ElementsAre(1));
  AppendNumbered(2, 101);
  EXPECT_THAT(Files(), SizeIs(3));
  const Seen seen = ReadFrom(cursor);
  ASSERT_FALSE(seen.numbers.empty());
  EXPECT_EQ(seen.numbers.back(), 100);
  EXPECT_EQ(seen.dropped, seen.numbers.front() - 2);
  EXPECT_EQ(seen.numbers.size(), 100 - seen.numbers.front() + 1);
  EXPECT_EQ(seen.texts.back(), "100");
  EXPECT_EQ(store_->TailStart(kJob, 1000), seen.numbers.front());
  Start(options);
  EXPECT_EQ(ReadAll().numbers, seen.numbers);
  EXPECT_EQ(ReadAll().dropped, seen.numbers.front() - 1);
}

TEST_F(LogStoreTest, TheQuietestJobsLoseTheirLinesButNoNumber) {
  const JobId quiet(2);
  LogStore::Options options = Options();
  options.segment_bytes = 500;
  options.most_bytes = 3000;
  Start(options);
  AppendNumbered(1, 4, quiet);
  AppendNumbered(1, 200);
  EXPECT_EQ(ReadAll(1, quiet).dropped, 3);
  EXPECT_THAT(ReadAll(1, quiet).texts, IsEmpty());
  EXPECT_EQ(store_->End(quiet), 4);
  Start(options);
  EXPECT_EQ(store_->End(quiet), 4);
  Append("4", quiet);
  EXPECT_THAT(ReadAll(1, quiet).numbers, ElementsAre(4));
}

// A kill came when the file that says the number was made, and before the
// lines were removed.
TEST_F(LogStoreTest, LinesThatAKillKeptAreRemovedAndNoNumberWithThem) {
  const JobId quiet(2);
  AppendNumbered(1, 4, quiet);
  store_.reset();
  scratch_.Write("jobs/" + ToString({quiet, 4}), "");
  LogStore::Options options = Options();
  options.segment_bytes = 500;
  options.most_bytes = 1500;
  Start(options);
  AppendNumbered(1, 100);
  EXPECT_THAT(ReadAll(1, quiet).texts, IsEmpty());
  Start(options);
  EXPECT_EQ(store_->End(quiet), 4);
}

TEST_F(LogStoreTest, AJobThatCannotBeReadKeepsNoOthersLines) {
  LogStore::Options options = Options();
  options.segment_bytes = 500;
  AppendNumbered(1, 20, JobId(2));
  AppendNumbered(1, 20, JobId(3));
  store_.reset();
  options.most_bytes = 2000;
  Start(options);
  // It has a size, and cannot be read, whoever this runs as.
  const std::string damaged =
      scratch_.PathOf("jobs/" + ToString({JobId(2), 1}));
  fs::remove(damaged);
  ASSERT_EQ(mkfifo(damaged.c_str(), 0600), 0);
  AppendNumbered(1, 100);
  // The quietest one after that.
  EXPECT_THAT(ReadAll(1, JobId(3)).texts, IsEmpty());
  // Whoever asks for its lines is told.
  LogStore::Cursor cursor;
  EXPECT_TRUE(absl::IsDataLoss(store_->Read(JobId(2), cursor).trouble));
  EXPECT_TRUE(store_->Read(JobId(3), cursor).trouble.ok());
  EXPECT_TRUE(store_->Read(JobId(9), cursor).trouble.ok());
}

TEST_F(LogStoreTest, LinesThatAWorkerSendsAgainAreThereOnce) {
  const v1::LogLine one = Line("one");
  const v1::LogLine two = Line("two");
  store_->Append(kJob, Line("from hydrad", "hydrad"));
  store_->Append(kJob, one);
  store_->Append(kJob, two);
  AwaitWritten();
  Start();
  // The daemon was killed before it said that it had them.
  store_->Append(kJob, one);
  store_->Append(kJob, two);
  const v1::LogLine three = Line("three");
  store_->Append(kJob, three);
  // Nobody sends this one again: it is another that says the same.
  store_->Append(kJob, three);
  AwaitWritten();
  EXPECT_THAT(ReadAll().texts,
              ElementsAre("from hydrad", "one", "two", "three", "three"));
  // Of another device nothing came yet.
  Start();
  v1::LogLine other = three;
  other.set_source("cpu:1");
  store_->Append(kJob, other);
  store_->Append(kJob, three);
  AwaitWritten();
  EXPECT_THAT(ReadAll().texts, SizeIs(6));
}

TEST_F(LogStoreTest, ItTellsWhenLinesAreWritten) {
  for (int i = 1; i <= 100; ++i) {
    store_->Append(kJob, Line(absl::StrCat(i)));
  }
  int64_t end = 0;
  bool is_told_last = false;
  store_->WhenWritten([&] { end = store_->End(kJob); });
  store_->WhenWritten([&] { is_told_last = end > 0; });
  store_->Stop();
  EXPECT_EQ(end, 101);
  EXPECT_TRUE(is_told_last);
  // Nothing comes after that.
  store_->Append(kJob, Line("late"));
  store_->WhenWritten([&] { end = 0; });
  EXPECT_FALSE(store_->IsBusyWith(kJob));
  store_.reset();
  EXPECT_EQ(end, 101);
}

TEST_F(LogStoreTest, WhatNeverArrivedIsSaid) {
  Append("1");
  store_->CountDropped(kJob, 7);
  Append("2");
  EXPECT_THAT(ReadAll().texts, ElementsAre("1", "7 lines were lost here", "2"));
  EXPECT_THAT(ReadAll().numbers, ElementsAre(1, 2, 3));
}

TEST_F(LogStoreTest, WhatCannotBeWrittenIsLostAndSaid) {
  Append("1");
  // Nothing can be written there, whoever this runs as.
  const std::string path = scratch_.PathOf("jobs/" + ToString({kJob, 1}));
  const std::string text = ReadFile(path);
  fs::remove(path);
  fs::create_directory(path);
  AppendNumbered(2, 5);
  fs::remove(path);
  WriteFile(path, text);
  Append("5");
  EXPECT_THAT(ReadAll().texts, ElementsAre("1", "3 lines were lost here", "5"));
}

TEST_F(LogStoreTest, WhatComesTooFastIsLostAndSaid) {
  LogStore::Options options = Options();
  options.most_waiting_bytes = 1000;
  Start(options);
  Append(std::string(1001, 'x'));
  Append("short");
  EXPECT_THAT(ReadAll().texts, ElementsAre("1 lines were lost here", "short"));
}

TEST_F(LogStoreTest, EmptyLinesThatWaitTakeMemoryToo) {
  LogStore::Options options = Options();
  options.most_waiting_bytes = 10'000;
  Start(options);
  absl::Notification begun;
  absl::Notification may_end;
  store_->WhenWritten([&] {
    begun.Notify();
    may_end.WaitForNotification();
  });
  begun.WaitForNotification();
  for (int i = 0; i < 1000; ++i) store_->Append(kJob, Line(""));
  may_end.Notify();
  AwaitWritten();
  EXPECT_THAT(ReadAll().texts, SizeIs(Le(100)));
}

TEST_F(LogStoreTest, ASegmentThatSomebodyRemovedTakesItsLinesAlone) {
  LogStore::Options options = Options();
  options.segment_bytes = 200;
  Start(options);
  AppendNumbered(1, 21);
  LogStore::Cursor follower;
  EXPECT_THAT(ReadFrom(follower).numbers, SizeIs(20));
  LogStore::Cursor late;
  const std::vector<std::string> files = Files();
  ASSERT_THAT(files, SizeIs(Ge(3)));
  for (const std::string& name : files) {
    if (name != files[0]) fs::remove(scratch_.PathOf("jobs/" + name));
  }
  const int64_t second = ParseLogSegmentName(files[1])->first;
  AppendNumbered(21, 23);
  EXPECT_THAT(ReadFrom(follower).texts, ElementsAre("21", "22"));
  const Seen seen = ReadFrom(late);
  EXPECT_EQ(seen.numbers.size(), second - 1 + 2);
  EXPECT_EQ(seen.dropped, 20 - (second - 1));
  // No number is given again.
  Start(options);
  AppendNumbered(23, 24);
  EXPECT_THAT(ReadFrom(follower).numbers, ElementsAre(23));
  EXPECT_EQ(ReadAll().numbers.back(), 23);
}

TEST_F(LogStoreTest, AnEarlierProcessesNewestSegmentMayBeGone) {
  AppendNumbered(1, 4);
  Start();
  // It was seen, and nobody opened it yet.
  fs::remove(scratch_.PathOf("jobs/" + ToString({kJob, 1})));
  Append("new");
  EXPECT_THAT(ReadAll().texts, ElementsAre("new"));
}

TEST_F(LogStoreTest, JobsThatAreNotKnownLeaveNothing) {
  Append("1");
  Append("1", JobId(2));
  LogStore::Options options = Options();
  options.is_known = [](JobId job) { return job == JobId(2); };
  Start(options);
  // The thread looks before it writes.
  Append("2", JobId(2));
  EXPECT_THAT(Files(), ElementsAre(ToString({JobId(2), 1})));
  EXPECT_THAT(ReadAll(1, JobId(2)).numbers, ElementsAre(1, 2));
}

TEST_F(LogStoreTest, AForgottenJobsLinesGoThoughTheyWereJustBrought) {
  AppendNumbered(1, 4);
  Append("1", JobId(2));
  store_->Append(kJob, Line("4"));
  store_->Forget(kJob);
  store_->Forget(JobId(9));
  absl::Notification done;
  store_->WhenWritten([&] { done.Notify(); });
  done.WaitForNotification();
  EXPECT_THAT(Files(), ElementsAre(ToString({JobId(2), 1})));
  EXPECT_THAT(ReadAll().texts, IsEmpty());
  EXPECT_EQ(store_->End(kJob), 1);
  EXPECT_THAT(ReadAll(1, JobId(2)).texts, ElementsAre("1"));
}

TEST_F(LogStoreTest, ADamagedFileLosesItsRest) {
  LogStore::Options options = Options();
  options.segment_bytes = 200;
  Start(options);
  AppendNumbered(1, 21);
  store_.reset();
  const std::vector<std::string> files = Files();
  ASSERT_THAT(files, SizeIs(Ge(2)));
  const int64_t second = ParseLogSegmentName(files[1])->first;
  std::string text = scratch_.Read("jobs/" + files[0]);
  text[text.find('\n') + 1] = 'x';
  scratch_.Write("jobs/" + files[0], text);
  Start(options);
  const Seen seen = ReadAll();
  EXPECT_EQ(seen.numbers.front(), 1);
  EXPECT_EQ(seen.numbers[1], second);
  EXPECT_EQ(seen.numbers.back(), 20);
  EXPECT_EQ(seen.dropped, second - 2);
}

TEST_F(LogStoreTest, ManyLinesAtOnceFillSegments) {
  LogStore::Options options = Options();
  options.segment_bytes = 1000;
  options.most_segments = 1000;
  Start(options);
  for (int i = 1; i <= 5000; ++i) {
    store_->Append(kJob, Line(absl::StrCat(i)));
  }
  AwaitWritten();
  const Seen seen = ReadAll();
  ASSERT_THAT(seen.numbers, SizeIs(5000));
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(seen.numbers[i], i + 1);
    ASSERT_EQ(seen.texts[i], absl::StrCat(i + 1));
  }
}

TEST_F(LogStoreTest, FilesAreForTheirOwnerAlone) {
  Append("1");
  const fs::perms mode =
      fs::status(scratch_.PathOf("jobs/" + ToString({kJob, 1}))).permissions();
  EXPECT_EQ(mode & fs::perms(0077), fs::perms::none);
}

}  // namespace
}  // namespace hydra
