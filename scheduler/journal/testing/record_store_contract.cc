#include "scheduler/journal/testing/record_store_contract.h"

#include <utility>

#include "scheduler/journal/record_change.h"

namespace hydra {

using hydra::journal::v1::Change;

namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

}  // namespace

void RecordStoreContractTest::Put(int table, int64_t a, int64_t b,
                                  const std::string& value) {
  ASSERT_TRUE(store_->Apply({MakePut(table, a, b, value)}).ok());
}

Records RecordStoreContractTest::Read() const { return *ReadRecords(*store_); }

std::vector<int64_t> RecordStoreContractTest::ReadOf(int table, int64_t a,
                                                     int64_t first_b) const {
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

TEST_P(RecordStoreContractTest, BeginsEmpty) { EXPECT_TRUE(Read().empty()); }

TEST_P(RecordStoreContractTest, ReadsFromAKeyOn) {
  for (int64_t b : {-5, 0, 3, 9}) Put(0, 1, b, "");
  Put(0, 2, 4, "");
  EXPECT_EQ(ReadOf(0, 1, 3), (std::vector<int64_t>{3, 9}));
  EXPECT_EQ(ReadOf(0, 1, 10), std::vector<int64_t>());
  EXPECT_EQ(ReadOf(0, 1), (std::vector<int64_t>{-5, 0, 3, 9}));
}

TEST_P(RecordStoreContractTest, KeepsAnyBytesUnderAnyKey) {
  const std::string bytes("\0a\xff", 3);
  Put(0, kMin, kMax, bytes);
  Put(0, kMax, kMin, "");
  Put(2, -1, 0, std::string(100'000, 'x'));
  EXPECT_EQ(Read(), (Records{{{0, kMin, kMax}, bytes},
                             {{0, kMax, kMin}, ""},
                             {{2, -1, 0}, std::string(100'000, 'x')}}));
}

TEST_P(RecordStoreContractTest, ReplacesARecord) {
  Put(0, 1, 1, "old");
  Put(0, 1, 1, "new");
  EXPECT_EQ(Read(), (Records{{{0, 1, 1}, "new"}}));
}

TEST_P(RecordStoreContractTest, VisitsByKeySmallestFirst) {
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

TEST_P(RecordStoreContractTest, VisitsTheRecordsOfOneAAlone) {
  Put(0, 1, 1, "");
  Put(0, 2, kMax, "");
  Put(0, 2, kMin, "");
  Put(0, 3, 1, "");
  Put(1, 2, 7, "");
  EXPECT_EQ(ReadOf(0, 2), (std::vector<int64_t>{kMin, kMax}));
}

TEST_P(RecordStoreContractTest, ErasesOneRecord) {
  Put(0, 1, 1, "");
  Put(0, 1, 2, "");
  ASSERT_TRUE(store_->Apply({MakeErase(0, 1, 1), MakeErase(0, 8, 8)}).ok());
  EXPECT_EQ(ReadOf(0, 1), std::vector<int64_t>{2});
}

TEST_P(RecordStoreContractTest, ErasesFromAKeyOnAndNoOtherA) {
  for (int64_t b : {kMin, int64_t{4}, int64_t{5}, kMax}) Put(0, 1, b, "");
  Put(0, 2, 7, "");
  Put(1, 1, 7, "");
  ASSERT_TRUE(store_->Apply({MakeEraseFrom(0, 1, 5)}).ok());
  EXPECT_EQ(ReadOf(0, 1), (std::vector<int64_t>{kMin, 4}));
  EXPECT_EQ(ReadOf(0, 2), std::vector<int64_t>{7});
  EXPECT_EQ(ReadOf(1, 1), std::vector<int64_t>{7});
}

TEST_P(RecordStoreContractTest, MakesChangesInTheirOrder) {
  ASSERT_TRUE(store_
                  ->Apply({MakePut(0, 1, 1, "a"), MakeEraseFrom(0, 1, 0),
                           MakePut(0, 1, 1, "b"), MakePut(0, 1, 2, "c"),
                           MakeErase(0, 1, 2)})
                  .ok());
  EXPECT_EQ(Read(), (Records{{{0, 1, 1}, "b"}}));
}

TEST_P(RecordStoreContractTest, RefusesAnUnknownKindAndChangesNothing) {
  Change unknown = MakePut(0, 2, 2, "");
  unknown.clear_kind();
  EXPECT_EQ(store_->Apply({MakePut(0, 1, 1, ""), unknown}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Read().empty());
}

TEST_P(RecordStoreContractTest, GivesBackTheVisitorsErrorAndStops) {
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

TEST_P(RecordStoreContractTest, HoldsAScenario) {
  for (int number = 1; number <= 50; ++number) {
    ASSERT_TRUE(store_->Apply(ScenarioTransaction(number)).ok());
    ASSERT_EQ(*CountTransactions(*store_), number);
  }
}

}  // namespace hydra
