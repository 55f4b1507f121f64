#include "scheduler/journal/sqlite_record_store.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

SqliteRecordStore::Options VersionOne() {
  SqliteRecordStore::Options options;
  options.schema = ScenarioSchema();
  return options;
}

SqliteRecordStore::Options VersionThree() {
  SqliteRecordStore::Options options = VersionOne();
  options.schema.version = 3;
  return options;
}

class SqliteRecordStoreTest : public testing::TestWithParam<bool> {
 protected:
  absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open(
      SqliteRecordStore::Options options) {
    options.durable = GetParam();
    return SqliteRecordStore::Open(path_, options);
  }

  // Makes a file of version 1 with one record.
  void MakeFile() {
    auto store = Open(VersionOne());
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->Apply({MakePut(0, 1, 2, "value")}).ok());
  }

  void ExpectVersionOne() {
    auto store = Open(VersionOne());
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(*ReadRecords(**store), (Records{{{0, 1, 2}, "value"}}));
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("records.db");
};

TEST_P(SqliteRecordStoreTest, KeepsRecordsForTheNextOpening) {
  MakeFile();
  ExpectVersionOne();
}

TEST_P(SqliteRecordStoreTest, MakesFilesForTheirOwnerAlone) {
  auto store = Open(VersionOne());
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->Apply({MakePut(0, 1, 2, "value")}).ok());
  int files = 0;
  for (const char* suffix : {"", "-wal", "-journal"}) {
    struct stat file = {};
    if (stat(absl::StrCat(path_, suffix).c_str(), &file) != 0) continue;
    ++files;
    EXPECT_EQ(file.st_mode & 0777, 0600) << suffix;
  }
  EXPECT_GE(files, 2);
}

TEST_P(SqliteRecordStoreTest, SaysWhatTheSystemSaysOfAMissingDirectory) {
  EXPECT_EQ(SqliteRecordStore::Open(directory_.PathOf("none/records.db"),
                                    VersionOne())
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_P(SqliteRecordStoreTest, RefusesATableThatIsNotThere) {
  auto store = Open(VersionOne());
  for (int table : {-1, 3}) {
    EXPECT_EQ((*store)->Apply({MakePut(table, 0, 0, "")}).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(SqliteRecordStoreTest, RefusesAFileThatAnotherProcessHolds) {
  int ready[2];
  int done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    close(done[1]);
    auto store = Open(VersionOne());
    char byte = store.ok() ? 'y' : 'n';
    const bool told = write(ready[1], &byte, 1) == 1;
    // Until the other end is closed.
    _exit(told && read(done[0], &byte, 1) == 0 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');

  const absl::Status refused = Open(VersionOne()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "another process"));

  for (int end : {ready[0], ready[1], done[0], done[1]}) close(end);
  int status = 0;
  ASSERT_EQ(waitpid(holder, &status, 0), holder);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Open(VersionOne()).ok());
}

TEST_P(SqliteRecordStoreTest, RefusesTheFileOfAnotherSchema) {
  MakeFile();
  SqliteRecordStore::Options other = VersionOne();
  other.schema.name = "other";
  const absl::Status refused = Open(other).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(refused.message(), "scenario")) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "other")) << refused;
  ExpectVersionOne();
}

TEST_P(SqliteRecordStoreTest, RefusesTheFileOfAnotherApplication) {
  WriteFile(path_, "");
  ASSERT_TRUE(SqliteDatabase::Open(path_, "")->Run("CREATE TABLE t (a)").ok());
  const std::string before = ReadFile(path_);
  EXPECT_EQ(Open(VersionOne()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadFile(path_), before);
}

TEST_P(SqliteRecordStoreTest, RefusesANewerVersionAndNamesBoth) {
  ASSERT_TRUE(Open(VersionThree()).ok());
  const absl::Status refused = Open(VersionOne()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(refused.message(), "version 3")) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "knows version 1"))
      << refused;
}

TEST_P(SqliteRecordStoreTest, RefusesAnOlderVersionAndLeavesItAsItIs) {
  MakeFile();
  EXPECT_EQ(Open(VersionThree()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ExpectVersionOne();
}

TEST_P(SqliteRecordStoreTest, ChecksAllOfAGoodFile) {
  auto store = Open(VersionOne());
  ASSERT_TRUE((*store)->Apply(ScenarioTransaction(1)).ok());
  EXPECT_TRUE((*store)->CheckAll().ok());
}

TEST_P(SqliteRecordStoreTest, KeepsItsLogSmall) {
  auto store = Open(VersionOne());
  const std::string value(100'000, 'v');
  for (int put = 0; put < 400; ++put) {
    ASSERT_TRUE((*store)->Apply({MakePut(0, put % 10, 0, value)}).ok());
  }
  for (const char* suffix : {"-wal", "-journal"}) {
    struct stat log = {};
    if (stat(absl::StrCat(path_, suffix).c_str(), &log) != 0) continue;
    EXPECT_LE(log.st_size, 6'000'000) << suffix;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SqliteRecordStoreTest, testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Durable" : "Fast";
                         });

}  // namespace
}  // namespace hydra
