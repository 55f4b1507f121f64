#include "scheduler/journal/salvage.h"

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

constexpr int kPageBytes = 4'096;
constexpr int kRecords = 1'000;

class SalvageTest : public testing::Test {
 protected:
  static absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open(
      const std::string& path, const RecordSchema& schema) {
    SqliteRecordStore::Options options;
    options.schema = schema;
    return SqliteRecordStore::Open(path, options);
  }

  void MakeFile() {
    auto store = Open(path_, ScenarioSchema());
    ASSERT_TRUE(store.ok()) << store.status();
    for (int a = 0; a < kRecords; ++a) {
      ASSERT_TRUE((*store)->Apply({MakePut(0, a, 0, ValueOf(a))}).ok());
    }
    ASSERT_TRUE((*store)->Apply({MakePut(1, 0, 0, "of another table")}).ok());
  }

  static std::string ValueOf(int a) { return absl::StrCat("<value ", a, ">"); }

  // Changes the first `old` in the file.
  void Damage(const std::string& old, const std::string& damaged) {
    std::string bytes = ReadFile(path_);
    const size_t at = bytes.find(old);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, damaged.size(), damaged);
    WriteFile(path_, bytes);
  }

  absl::StatusOr<SalvageReport> SalvageFile() {
    return Salvage(path_, out_path_, ScenarioSchema());
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("damaged.db");
  const std::string out_path_ = directory_.PathOf("salvaged.db");
};

TEST_F(SalvageTest, CopiesAllOfAGoodFile) {
  MakeFile();
  const absl::StatusOr<SalvageReport> report = SalvageFile();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->IsWhole()) << report->ToText();
  auto original = Open(path_, ScenarioSchema());
  auto copy = Open(out_path_, ScenarioSchema());
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(*ReadRecords(**copy), *ReadRecords(**original));
}

TEST_F(SalvageTest, LeavesOutADamagedRecordAndNamesIt) {
  MakeFile();
  Damage(ValueOf(500), "<VALUE");
  const std::string before = ReadFile(path_);
  const absl::StatusOr<SalvageReport> report = SalvageFile();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->IsWhole());
  EXPECT_TRUE(absl::StrContains(report->ToText(), "(500, 0)"))
      << report->ToText();
  EXPECT_TRUE(absl::StrContains(report->ToText(), "count: 999 good records"))
      << report->ToText();
  auto salvaged = Open(out_path_, ScenarioSchema());
  ASSERT_TRUE(salvaged.ok()) << salvaged.status();
  const Records records = *ReadRecords(**salvaged);
  EXPECT_EQ(records.size(), kRecords);
  EXPECT_EQ(records.count({0, 500, 0}), 0);
  EXPECT_TRUE(ReadFile(path_) == before);
}

TEST_F(SalvageTest, ReadsAroundADamagedPage) {
  MakeFile();
  std::string bytes = ReadFile(path_);
  const size_t page = bytes.find(ValueOf(500)) / kPageBytes * kPageBytes;
  bytes.replace(page, kPageBytes, kPageBytes, '\xee');
  WriteFile(path_, bytes);
  ASSERT_EQ(Open(path_, ScenarioSchema()).status().code(),
            absl::StatusCode::kDataLoss);

  const absl::StatusOr<SalvageReport> report = SalvageFile();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->findings.empty());
  ASSERT_EQ(report->tables[0].second.unreadable.size(), 1);
  auto salvaged = Open(out_path_, ScenarioSchema());
  ASSERT_TRUE(salvaged.ok()) << salvaged.status();
  const Records records = *ReadRecords(**salvaged);
  EXPECT_GT(records.size(), kRecords - 200);
  EXPECT_LT(records.size(), kRecords);
  EXPECT_EQ(records.count({1, 0, 0}), 1);
}

TEST_F(SalvageTest, SurvivesDamageToTheTablesNames) {
  MakeFile();
  Damage("hydra_meta", "hydra_META");
  Damage("CREATE TABLE \"small\"", "CREATE TABLX");
  const absl::StatusOr<SalvageReport> report = SalvageFile();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->tables[0].second.good_records, kRecords);
  EXPECT_EQ(report->tables[1].second.good_records, 1);
  EXPECT_TRUE(Open(out_path_, ScenarioSchema()).ok());
}

TEST_F(SalvageTest, TakesTheLogUpToTheDamageInIt) {
  auto store = Open(path_, ScenarioSchema());
  for (int number = 1; number <= 10; ++number) {
    ASSERT_TRUE((*store)->Apply(ScenarioTransaction(number)).ok());
  }
  const std::string copy = directory_.PathOf("copy.db");
  std::string wal = ReadFile(absl::StrCat(path_, "-wal"));
  wal[wal.size() / 2] ^= 1;
  WriteFile(copy, ReadFile(path_));
  WriteFile(absl::StrCat(copy, "-wal"), wal);

  const absl::StatusOr<SalvageReport> report =
      Salvage(copy, out_path_, ScenarioSchema());
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->findings.size(), 1);
  EXPECT_TRUE(absl::StrContains(report->ToText(), "-wal")) << report->ToText();
  EXPECT_TRUE(ReadFile(absl::StrCat(copy, "-wal")) == wal);
  auto salvaged = Open(out_path_, ScenarioSchema());
  ASSERT_TRUE(salvaged.ok()) << salvaged.status();
  const absl::StatusOr<int> count = CountTransactions(**salvaged);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_GT(*count, 2);
  EXPECT_LT(*count, 8);
}

TEST_F(SalvageTest, RefusesAnotherVersion) {
  MakeFile();
  RecordSchema newer = ScenarioSchema();
  newer.version = 2;
  EXPECT_EQ(Salvage(path_, out_path_, newer).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(std::filesystem::exists(out_path_));
}

TEST_F(SalvageTest, NeedsAFileAndAFreePlace) {
  EXPECT_EQ(SalvageFile().status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(path_));
  MakeFile();
  WriteFile(out_path_, "mine");
  EXPECT_EQ(SalvageFile().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(out_path_), "mine");
}

TEST_F(SalvageTest, RefusesTheFileOfAnotherApplicationAndWhatIsNone) {
  RecordSchema other = ScenarioSchema();
  other.name = "other";
  MakeFile();
  EXPECT_EQ(Salvage(path_, out_path_, other).status().code(),
            absl::StatusCode::kFailedPrecondition);
  WriteFile(path_, std::string(10'000, 'x'));
  EXPECT_EQ(SalvageFile().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(std::filesystem::exists(out_path_));
}

}  // namespace
}  // namespace hydra
