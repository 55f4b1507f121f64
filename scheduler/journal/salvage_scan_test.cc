#include "scheduler/journal/salvage_scan.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/record_checksum.h"

namespace hydra {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int kPageBytes = 4'096;
constexpr int kRecords = 2'000;

class SalvageScanTest : public testing::Test {
 protected:
  // A table whose records lie on many pages, in their order.
  SalvageScanTest() {
    WriteFile(path_, "");
    const SqliteDatabase database = Open();
    EXPECT_TRUE(database
                    .Run("CREATE TABLE t (a INTEGER, b INTEGER, value BLOB, "
                         "checksum INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;"
                         "BEGIN")
                    .ok());
    for (int n = 0; n < kRecords; ++n) Insert(database, n / 10, n % 10);
    EXPECT_TRUE(database.Run("COMMIT").ok());
  }

  SqliteDatabase Open() const { return *SqliteDatabase::Open(path_, ""); }

  static void Insert(const SqliteDatabase& database, int64_t a, int64_t b) {
    const std::string value(100, 'v');
    absl::StatusOr<SqliteStatement> insert =
        database.Prepare("INSERT INTO t VALUES (?, ?, ?, ?)");
    insert->BindInteger(1, a);
    insert->BindInteger(2, b);
    EXPECT_TRUE(insert->BindBlob(3, value).ok());
    insert->BindInteger(4, RecordChecksum("t").Of(a, b, value));
    EXPECT_TRUE(insert->Run().ok());
  }

  // Leaves, from the front and from the back, that lie inside the table.
  std::vector<int64_t> LeafPages() const {
    const std::string bytes = ReadFile(path_);
    std::vector<int64_t> leaves;
    for (size_t at = kPageBytes; at < bytes.size(); at += kPageBytes) {
      if (bytes[at] == 0x0a) leaves.push_back(at);
    }
    return leaves;
  }

  void Destroy(int64_t page_at) const {
    std::string bytes = ReadFile(path_);
    bytes.replace(page_at, kPageBytes, kPageBytes, '\xee');
    WriteFile(path_, bytes);
  }

  SalvageScan Scan() {
    const SqliteDatabase database = Open();
    visits_ = 0;
    absl::StatusOr<SalvageScan> scan = ScanDamagedTable(
        database, "t", [this](int64_t, int64_t, absl::string_view value) {
          EXPECT_EQ(value, std::string(100, 'v'));
          ++visits_;
          return absl::OkStatus();
        });
    EXPECT_TRUE(scan.ok()) << scan.status();
    EXPECT_EQ(scan->good_records, visits_);
    return *std::move(scan);
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("file.db");
  int visits_ = 0;
};

TEST_F(SalvageScanTest, VisitsAllOfAGoodTable) {
  Insert(Open(), kMin, kMin);
  Insert(Open(), kMax, kMax);
  const SalvageScan scan = Scan();
  EXPECT_EQ(scan.good_records, kRecords + 2);
  EXPECT_TRUE(scan.damaged_records.empty());
  EXPECT_TRUE(scan.unreadable.empty());
}

TEST_F(SalvageScanTest, LeavesOutARecordThatDoesNotMatchItsChecksum) {
  ASSERT_TRUE(
      Open().Run("UPDATE t SET value = 'w' WHERE a = 5 AND b = 6").ok());
  const SalvageScan scan = Scan();
  EXPECT_EQ(scan.good_records, kRecords - 1);
  ASSERT_EQ(scan.damaged_records.size(), 1);
  EXPECT_EQ(scan.damaged_records.begin()->a, 5);
  EXPECT_EQ(scan.damaged_records.begin()->b, 6);
  EXPECT_TRUE(scan.unreadable.empty());
}

TEST_F(SalvageScanTest, ReadsAroundADamagedPage) {
  const std::vector<int64_t> leaves = LeafPages();
  ASSERT_GT(leaves.size(), 20);
  Destroy(leaves[leaves.size() / 2]);
  const SalvageScan scan = Scan();
  EXPECT_GT(scan.good_records, kRecords - 40);
  EXPECT_LT(scan.good_records, kRecords);
  ASSERT_EQ(scan.unreadable.size(), 1);
  // Not far around the page.
  EXPECT_GT(scan.unreadable[0].first.a, 0);
  EXPECT_LT(scan.unreadable[0].last.a - scan.unreadable[0].first.a, 8);
}

TEST_F(SalvageScanTest, FindsTheRecordsBetweenDamagedPages) {
  const std::vector<int64_t> leaves = LeafPages();
  for (size_t quarter : {1, 2, 3}) Destroy(leaves[leaves.size() * quarter / 4]);
  const SalvageScan scan = Scan();
  EXPECT_GT(scan.good_records, kRecords - 3 * 40);
  EXPECT_EQ(scan.unreadable.size(), 3);
}

TEST_F(SalvageScanTest, SaysThatATableThatIsMissingIsUnreadable) {
  ASSERT_TRUE(Open().Run("DROP TABLE t").ok());
  const SalvageScan scan = Scan();
  EXPECT_EQ(scan.good_records, 0);
  ASSERT_EQ(scan.unreadable.size(), 1);
  EXPECT_EQ(scan.unreadable[0].first.a, kMin);
  EXPECT_EQ(scan.unreadable[0].last.a, kMax);
}

TEST_F(SalvageScanTest, GivesBackTheVisitorsError) {
  const SqliteDatabase database = Open();
  EXPECT_EQ(ScanDamagedTable(database, "t",
                             [](int64_t, int64_t, absl::string_view) {
                               return absl::CancelledError("enough");
                             })
                .status(),
            absl::CancelledError("enough"));
}

}  // namespace
}  // namespace hydra
