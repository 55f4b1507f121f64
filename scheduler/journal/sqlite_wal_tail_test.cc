#include "scheduler/journal/sqlite_wal_tail.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/sqlite_database.h"

namespace hydra {
namespace {

constexpr int64_t kHeaderBytes = 32;
constexpr int64_t kFrameBytes = 24 + 4'096;

class SqliteWalTailTest : public testing::Test {
 protected:
  // A database whose log begins anew with each frame that it writes back.
  SqliteWalTailTest() {
    WriteFile(database_path_, "");
    absl::StatusOr<SqliteDatabase> database =
        SqliteDatabase::Open(database_path_, "");
    Run(*database,
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
        "PRAGMA wal_autocheckpoint = 0;"
        "CREATE TABLE t (n);"
        "PRAGMA wal_checkpoint(TRUNCATE)");
    for (int n = 0; n < kTransactions; ++n) Insert(*database, n);
    wal_ = ReadFile(absl::StrCat(database_path_, "-wal"));
    // What is written from now on replaces the log's frames.
    Run(*database, "PRAGMA wal_checkpoint");
    Insert(*database, kTransactions);
    begun_anew_ = ReadFile(absl::StrCat(database_path_, "-wal"));
  }

  static void Run(const SqliteDatabase& database, const std::string& sql) {
    const absl::Status status = database.Run(sql);
    EXPECT_TRUE(status.ok()) << status;
  }

  // Each one is a frame.
  static void Insert(const SqliteDatabase& database, int n) {
    Run(database, absl::StrCat("INSERT INTO t VALUES (", n, ")"));
  }

  absl::StatusOr<WalTail> Inspect(const std::string& bytes) {
    WriteFile(path_, bytes);
    return InspectWal(path_);
  }

  std::string WithFlip(int64_t byte) const {
    std::string bytes = wal_;
    bytes[byte] ^= 0x10;
    return bytes;
  }

  static int64_t FrameAt(int frame) {
    return kHeaderBytes + frame * kFrameBytes;
  }

  static constexpr int kTransactions = 6;
  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string database_path_ = directory_.PathOf("file.db");
  const std::string path_ = directory_.PathOf("log");
  std::string wal_;
  std::string begun_anew_;
};

TEST_F(SqliteWalTailTest, AMissingLogIsEmpty) {
  const absl::StatusOr<WalTail> tail = InspectWal(directory_.PathOf("none"));
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(tail->kept_frames, 0);
  EXPECT_EQ(tail->cut_bytes, 0);
}

TEST_F(SqliteWalTailTest, KeepsAWholeLog) {
  const absl::StatusOr<WalTail> tail = Inspect(wal_);
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(tail->kept_frames, kTransactions);
  EXPECT_EQ(tail->cut_frames, 0);
  EXPECT_EQ(tail->cut_bytes, 0);
}

TEST_F(SqliteWalTailTest, LeavesOlderFramesOutOfTheCount) {
  ASSERT_EQ(begun_anew_.size(), wal_.size());
  const absl::StatusOr<WalTail> tail = Inspect(begun_anew_);
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(tail->kept_frames, 1);
  EXPECT_EQ(tail->cut_frames, 0);
  EXPECT_EQ(tail->cut_bytes, 0);
}

TEST_F(SqliteWalTailTest, CountsWhatIsCut) {
  struct Case {
    int64_t bytes_of_frame_3;
    int64_t cut_frames;
  };
  for (const Case& cut :
       {Case{0, 0}, Case{24, 1}, Case{100, 1}, Case{kFrameBytes - 1, 1}}) {
    const absl::StatusOr<WalTail> tail =
        Inspect(wal_.substr(0, FrameAt(3) + cut.bytes_of_frame_3));
    ASSERT_TRUE(tail.ok()) << tail.status();
    EXPECT_EQ(tail->kept_frames, 3);
    EXPECT_EQ(tail->cut_frames, cut.cut_frames);
    EXPECT_EQ(tail->cut_bytes, cut.bytes_of_frame_3);
  }
}

TEST_F(SqliteWalTailTest, ABadLastFrameIsAnInterruptedWrite) {
  const absl::StatusOr<WalTail> tail = Inspect(WithFlip(wal_.size() - 1));
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(tail->kept_frames, kTransactions - 1);
  EXPECT_EQ(tail->cut_frames, 1);
  EXPECT_EQ(tail->cut_bytes, kFrameBytes);
}

TEST_F(SqliteWalTailTest, ABadFrameWithWholeTransactionsBehindItIsDamage) {
  for (int64_t byte : {
           FrameAt(0),       // A page number.
           FrameAt(2) + 4,   // The end of a transaction.
           FrameAt(2) + 9,   // A salt.
           FrameAt(2) + 17,  // A checksum.
           FrameAt(1) + 24,  // The page itself.
           FrameAt(3) + 4'000,
       }) {
    EXPECT_EQ(Inspect(WithFlip(byte)).status().code(),
              absl::StatusCode::kDataLoss)
        << byte;
  }
}

TEST_F(SqliteWalTailTest, ABadHeaderOfCurrentFramesIsDamage) {
  for (int64_t byte = 0; byte < kHeaderBytes; ++byte) {
    EXPECT_EQ(Inspect(WithFlip(byte)).status().code(),
              absl::StatusCode::kDataLoss)
        << byte;
  }
}

// The header of a log that begins anew may be what was interrupted.
TEST_F(SqliteWalTailTest, ABadHeaderOfOlderFramesIsAnEmptyLog) {
  std::string bytes = wal_;
  bytes.replace(0, kHeaderBytes, kHeaderBytes, '\x11');
  const absl::StatusOr<WalTail> tail = Inspect(bytes);
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(tail->kept_frames, 0);
}

// A transaction that failed when the disk should have it, twice, and was
// followed by a shorter one.
TEST_F(SqliteWalTailTest, WhatFailedTransactionsLeftIsNoDamage) {
  std::string bytes = wal_.substr(0, FrameAt(3));
  // Frames of this log that continue nothing.
  for (int frame : {5, 3, 5}) {
    bytes += wal_.substr(FrameAt(frame), kFrameBytes);
  }
  const absl::StatusOr<WalTail> tail = Inspect(bytes);
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(tail->kept_frames, 3);
  EXPECT_EQ(tail->cut_frames, 3);
}

}  // namespace
}  // namespace hydra
