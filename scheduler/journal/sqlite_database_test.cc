#include "scheduler/journal/sqlite_database.h"

#include <string>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

class SqliteDatabaseTest : public testing::Test {
 protected:
  absl::StatusOr<SqliteDatabase> Open() {
    return SqliteDatabase::Open(path_, /*vfs=*/"");
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("file.db");
};

TEST_F(SqliteDatabaseTest, OpensNoFileThatIsMissing) {
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteDatabaseTest, KeepsNumbersAndBytes) {
  WriteFile(path_, "");
  absl::StatusOr<SqliteDatabase> database = Open();
  ASSERT_TRUE(database.ok()) << database.status();
  ASSERT_TRUE(database->Run("CREATE TABLE t (n, bytes)").ok());
  absl::StatusOr<SqliteStatement> insert =
      database->Prepare("INSERT INTO t VALUES (?, ?)");
  insert->BindInteger(1, -7);
  // Without an address, and still not NULL.
  ASSERT_TRUE(insert->BindBlob(2, absl::string_view()).ok());
  ASSERT_TRUE(insert->Run().ok());
  EXPECT_EQ(*database->ReadInteger("SELECT n FROM t"), -7);
  EXPECT_EQ(*database->ReadText("SELECT typeof(bytes) FROM t"), "blob");
}

TEST_F(SqliteDatabaseTest, SaysDataLossForWhatIsNoDatabase) {
  WriteFile(path_, std::string(5'000, 'x'));
  const absl::Status status =
      Open()->ReadInteger("PRAGMA user_version").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("file.db: "), std::string::npos) << status;
}

TEST_F(SqliteDatabaseTest, SaysDataLossForATableThatIsMissing) {
  WriteFile(path_, "");
  EXPECT_EQ(Open()->Prepare("SELECT * FROM t").status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(SqliteDatabaseTest, SaysWhenAnotherConnectionHoldsTheFile) {
  WriteFile(path_, "");
  absl::StatusOr<SqliteDatabase> holder = Open();
  ASSERT_TRUE(holder->Run("BEGIN EXCLUSIVE").ok());
  EXPECT_EQ(Open()->Run("BEGIN EXCLUSIVE").code(),
            absl::StatusCode::kFailedPrecondition);
  holder->RollBack();
  EXPECT_FALSE(holder->in_transaction());
  EXPECT_TRUE(Open()->Run("BEGIN EXCLUSIVE").ok());
}

TEST_F(SqliteDatabaseTest, SaysWhenTheFileMayNotGrow) {
  WriteFile(path_, "");
  absl::StatusOr<SqliteDatabase> database = Open();
  ASSERT_TRUE(
      database->Run("CREATE TABLE t (bytes); PRAGMA max_page_count = 4").ok());
  EXPECT_EQ(database->Run("INSERT INTO t VALUES (zeroblob(100000))").code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hydra
