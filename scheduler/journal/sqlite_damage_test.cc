// Bits that flip and logs that are cut short: a file gives its own records,
// those of some moment before if its log lost its end, or DATA_LOSS. Never
// others.

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

constexpr int kTransactions = 30;
constexpr int kFlips = 4'000;
constexpr int kPageBytes = 4'096;
constexpr int kWalHeaderBytes = 32;
constexpr int kWalFrameBytes = 24 + kPageBytes;

class SqliteDamageTest : public testing::Test {
 protected:
  SqliteDamageTest() {
    const std::string path = directory_.PathOf("original.db");
    const std::string wal_path = absl::StrCat(path, "-wal");
    auto store = Open(path);
    EXPECT_TRUE(store.ok()) << store.status();
    for (int number = 1; number <= kTransactions; ++number) {
      EXPECT_TRUE((*store)->Apply(ScenarioTransaction(number)).ok());
    }
    open_file_ = ReadFile(path);
    wal_ = ReadFile(wal_path);
    store->reset();
    closed_file_ = ReadFile(path);
    store = Open(path);
    EXPECT_TRUE((*store)->Apply(ScenarioTransaction(kTransactions + 1)).ok());
    last_wal_ = ReadFile(wal_path);
  }

  static absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open(
      const std::string& path) {
    SqliteRecordStore::Options options;
    options.schema = ScenarioSchema();
    return SqliteRecordStore::Open(path, options);
  }

  // What a file with this content holds.
  absl::StatusOr<int> Count(absl::string_view file, absl::string_view wal) {
    WriteFile(path_, file);
    if (wal.empty()) {
      std::remove(wal_path_.c_str());
    } else {
      WriteFile(wal_path_, wal);
    }
    auto store = Open(path_);
    if (!store.ok()) return store.status();
    return CountTransactions(**store);
  }

  static void Flip(std::string& bytes, int64_t bit) {
    bytes[bit / 8] ^= 1 << bit % 8;
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("damaged.db");
  const std::string wal_path_ = absl::StrCat(path_, "-wal");
  // Nothing but SQLite's header, and a log with all transactions.
  std::string open_file_;
  std::string wal_;
  // All transactions, and a log with one more.
  std::string closed_file_;
  std::string last_wal_;
};

TEST_F(SqliteDamageTest, AFlippedBitGivesTheSameRecordsOrDataLoss) {
  std::mt19937 random(3);
  int noticed = 0;
  for (int flip = 0; flip < kFlips; ++flip) {
    // Half of them where pages have their headers, which lead to the records.
    const int64_t page = random() % (closed_file_.size() / kPageBytes);
    const int64_t byte = random() % (flip % 2 == 0 ? kPageBytes
                                     : page == 0   ? 200
                                                   : 16);
    const int64_t bit = (page * kPageBytes + byte) * 8 + random() % 8;
    SCOPED_TRACE(testing::Message() << "bit " << bit << " of byte " << byte
                                    << " of page " << page + 1);
    std::string damaged = closed_file_;
    Flip(damaged, bit);
    const absl::StatusOr<int> count = Count(damaged, "");
    if (count.ok()) {
      ASSERT_EQ(*count, kTransactions);
      continue;
    }
    ++noticed;
    EXPECT_EQ(count.status().code(), absl::StatusCode::kDataLoss)
        << count.status();
  }
  EXPECT_GT(noticed, kFlips / 4);
}

TEST_F(SqliteDamageTest, ARefusedFileIsLeftAsItIsAndTheWayOutIsNamed) {
  int refused = 0;
  for (size_t at = kPageBytes; at < closed_file_.size(); at += kPageBytes) {
    SCOPED_TRACE(testing::Message() << "page at " << at);
    std::string damaged = closed_file_;
    damaged.replace(at, kPageBytes, kPageBytes, '\xee');
    const absl::StatusOr<int> count = Count(damaged, last_wal_);
    if (count.ok()) {
      // The log has a newer version of the page.
      EXPECT_EQ(*count, kTransactions + 1);
      continue;
    }
    ++refused;
    EXPECT_EQ(count.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_TRUE(absl::StrContains(count.status().message(), "hydrad recover"))
        << count.status();
    EXPECT_TRUE(ReadFile(path_) == damaged);
    EXPECT_TRUE(ReadFile(wal_path_) == last_wal_);
  }
  EXPECT_GT(refused, 0);
}

TEST_F(SqliteDamageTest, ALogThatIsCutShortGivesTheTransactionsBefore) {
  int last = 0;
  for (size_t size = 0; size <= wal_.size(); size += kWalFrameBytes / 4) {
    SCOPED_TRACE(testing::Message() << size << " B");
    const absl::StatusOr<int> count =
        Count(open_file_, wal_.substr(0, kWalHeaderBytes + size));
    ASSERT_TRUE(count.ok()) << count.status();
    EXPECT_GE(*count, last);
    last = *count;
  }
  EXPECT_EQ(last, kTransactions);
}

// Keeps what is logged.
class LogCollector final : public google::LogSink {
 public:
  LogCollector() { google::AddLogSink(this); }
  ~LogCollector() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t length) override {
    absl::StrAppend(&text_, absl::string_view(message, length), "\n");
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

TEST_F(SqliteDamageTest, SaysHowMuchOfALogWasCutOff) {
  const LogCollector whole;
  EXPECT_TRUE(Count(open_file_, wal_).ok());
  EXPECT_EQ(whole.text(), "");

  const LogCollector cut;
  EXPECT_TRUE(Count(open_file_, wal_.substr(0, wal_.size() - 1)).ok());
  EXPECT_TRUE(absl::StrContains(cut.text(), "cut off")) << cut.text();
}

TEST_F(SqliteDamageTest, ALogThatIsCutInsideItsHeaderGivesNoTransaction) {
  for (int size : {0, 1, 31}) {
    const absl::StatusOr<int> count = Count(open_file_, wal_.substr(0, size));
    // Without its log the file has not even tables.
    ASSERT_TRUE(count.ok()) << count.status();
    EXPECT_EQ(*count, 0);
  }
}

TEST_F(SqliteDamageTest, AFlippedBitInTheMiddleOfTheLogIsDataLoss) {
  std::mt19937 random(4);
  // The last transaction may as well be one that was interrupted.
  const int64_t middle = wal_.size() * 3 / 4;
  for (int flip = 0; flip < 300; ++flip) {
    const int64_t bit = random() % (middle * 8);
    SCOPED_TRACE(testing::Message() << "byte " << bit / 8);
    std::string damaged = wal_;
    Flip(damaged, bit);
    EXPECT_EQ(Count(open_file_, damaged).status().code(),
              absl::StatusCode::kDataLoss);
    EXPECT_TRUE(ReadFile(wal_path_) == damaged);
  }
}

TEST_F(SqliteDamageTest, AnEmptiedFileWithALogIsDataLoss) {
  EXPECT_EQ(Count("", wal_).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(ReadFile(wal_path_) == wal_);
}

TEST_F(SqliteDamageTest, AFileThatIsCutShortIsDataLoss) {
  for (size_t pages = 1; pages < closed_file_.size() / kPageBytes; ++pages) {
    SCOPED_TRACE(testing::Message() << pages << " pages");
    EXPECT_EQ(
        Count(closed_file_.substr(0, pages * kPageBytes), "").status().code(),
        absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace hydra
