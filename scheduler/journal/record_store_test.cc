#include "scheduler/journal/record_store.h"

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::unique_ptr<RecordStore> MakeSqliteStore(const std::string& path,
                                             bool durable) {
  SqliteRecordStore::Options options;
  options.durable = durable;
  options.schema = ScenarioSchema();
  return *SqliteRecordStore::Open(path, options);
}

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<RecordStore>(const std::string& path)> make;
};

class RecordStoreTest : public testing::TestWithParam<Implementation> {
 protected:
  void Put(int table, int64_t a, int64_t b, const std::string& value) {
    ASSERT_TRUE(store_->Apply({MakePut(table, a, b, value)}).ok());
  }

  Records Read() const { return *ReadRecords(*store_); }

  // The keys of one `a`, as they come.
  std::vector<int64_t> ReadOf(int table, int64_t a,
                              int64_t first_b = kMin) const {
    std::vector<int64_t> keys;
    EXPECT_TRUE(store_
                    ->ForEachFrom(table, a, first_b,
                                  [&](int64_t, int64_t b, absl::string_view) {
                                    keys.push_back(b);
                                    return absl::OkStatus();
                                  })
                    .ok());
    return keys;
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::unique_ptr<RecordStore> store_ =
      GetParam().make(directory_.PathOf("records.db"));
};

TEST_P(RecordStoreTest, BeginsEmpty) { EXPECT_TRUE(Read().empty()); }

TEST_P(RecordStoreTest, ReadsFromAKeyOn) {
  for (int64_t b : {-5, 0, 3, 9}) Put(0, 1, b, "");
  Put(0, 2, 4, "");
  EXPECT_EQ(ReadOf(0, 1, 3), (std::vector<int64_t>{3, 9}));
  EXPECT_EQ(ReadOf(0, 1, 10), std::vector<int64_t>());
  EXPECT_EQ(ReadOf(0, 1), (std::vector<int64_t>{-5, 0, 3, 9}));
}

TEST_P(RecordStoreTest, KeepsAnyBytesUnderAnyKey) {
  const std::string bytes("\0a\xff", 3);
  Put(0, kMin, kMax, bytes);
  Put(0, kMax, kMin, "");
  Put(2, -1, 0, std::string(100'000, 'x'));
  EXPECT_EQ(Read(), (Records{{{0, kMin, kMax}, bytes},
                             {{0, kMax, kMin}, ""},
                             {{2, -1, 0}, std::string(100'000, 'x')}}));
}

TEST_P(RecordStoreTest, ReplacesARecord) {
  Put(0, 1, 1, "old");
  Put(0, 1, 1, "new");
  EXPECT_EQ(Read(), (Records{{{0, 1, 1}, "new"}}));
}

TEST_P(RecordStoreTest, VisitsByKeySmallestFirst) {
  Put(0, 2, -3, "");
  Put(0, -1, 9, "");
  Put(0, 2, 5, "");
  std::vector<std::pair<int64_t, int64_t>> keys;
  ASSERT_TRUE(store_
                  ->ForEach(0,
                            [&](int64_t a, int64_t b, absl::string_view) {
                              keys.emplace_back(a, b);
                              return absl::OkStatus();
                            })
                  .ok());
  EXPECT_EQ(keys, (std::vector<std::pair<int64_t, int64_t>>{
                      {-1, 9}, {2, -3}, {2, 5}}));
}

TEST_P(RecordStoreTest, VisitsTheRecordsOfOneAAlone) {
  Put(0, 1, 1, "");
  Put(0, 2, kMax, "");
  Put(0, 2, kMin, "");
  Put(0, 3, 1, "");
  Put(1, 2, 7, "");
  EXPECT_EQ(ReadOf(0, 2), (std::vector<int64_t>{kMin, kMax}));
}

TEST_P(RecordStoreTest, ErasesOneRecord) {
  Put(0, 1, 1, "");
  Put(0, 1, 2, "");
  ASSERT_TRUE(store_->Apply({MakeErase(0, 1, 1), MakeErase(0, 8, 8)}).ok());
  EXPECT_EQ(ReadOf(0, 1), std::vector<int64_t>{2});
}

TEST_P(RecordStoreTest, ErasesFromAKeyOnAndNoOtherA) {
  for (int64_t b : {kMin, int64_t{4}, int64_t{5}, kMax}) Put(0, 1, b, "");
  Put(0, 2, 7, "");
  Put(1, 1, 7, "");
  ASSERT_TRUE(store_->Apply({MakeEraseFrom(0, 1, 5)}).ok());
  EXPECT_EQ(ReadOf(0, 1), (std::vector<int64_t>{kMin, 4}));
  EXPECT_EQ(ReadOf(0, 2), std::vector<int64_t>{7});
  EXPECT_EQ(ReadOf(1, 1), std::vector<int64_t>{7});
}

TEST_P(RecordStoreTest, MakesChangesInTheirOrder) {
  ASSERT_TRUE(store_
                  ->Apply({MakePut(0, 1, 1, "a"), MakeEraseFrom(0, 1, 0),
                           MakePut(0, 1, 1, "b"), MakePut(0, 1, 2, "c"),
                           MakeErase(0, 1, 2)})
                  .ok());
  EXPECT_EQ(Read(), (Records{{{0, 1, 1}, "b"}}));
}

TEST_P(RecordStoreTest, RefusesAnUnknownKindAndChangesNothing) {
  Change unknown = MakePut(0, 2, 2, "");
  unknown.clear_kind();
  EXPECT_EQ(store_->Apply({MakePut(0, 1, 1, ""), unknown}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Read().empty());
}

TEST_P(RecordStoreTest, GivesBackTheVisitorsErrorAndStops) {
  Put(0, 1, 1, "");
  Put(0, 1, 2, "");
  int visits = 0;
  auto refuse = [&](int64_t, int64_t, absl::string_view) {
    ++visits;
    return absl::CancelledError("enough");
  };
  EXPECT_EQ(store_->ForEach(0, refuse), absl::CancelledError("enough"));
  EXPECT_EQ(store_->ForEachOf(0, 1, refuse), absl::CancelledError("enough"));
  EXPECT_EQ(visits, 2);
  Put(0, 1, 3, "");
}

TEST_P(RecordStoreTest, HoldsAScenario) {
  for (int number = 1; number <= 50; ++number) {
    ASSERT_TRUE(store_->Apply(ScenarioTransaction(number)).ok());
    ASSERT_EQ(*CountTransactions(*store_), number);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RecordStoreTest,
    testing::Values(
        Implementation{"Memory",
                       [](const std::string&) {
                         return std::make_unique<MemoryRecordStore>();
                       }},
        Implementation{"DurableSqlite",
                       [](const std::string& path) {
                         return MakeSqliteStore(path, /*durable=*/true);
                       }},
        Implementation{"FastSqlite",
                       [](const std::string& path) {
                         return MakeSqliteStore(path, /*durable=*/false);
                       }}),
    [](const auto& info) { return info.param.name; });

TEST(MemoryRecordStoreTest, ACopyKeepsTheOlderState) {
  MemoryRecordStore store;
  ASSERT_TRUE(store.Apply({MakePut(0, 1, 1, "old")}).ok());
  const MemoryRecordStore copy = store;
  ASSERT_TRUE(store.Apply({MakePut(0, 1, 1, "new")}).ok());
  EXPECT_EQ(*ReadRecords(copy), (Records{{{0, 1, 1}, "old"}}));
}

}  // namespace
}  // namespace hydra
