#include "scheduler/journal/record_store.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/record_scenario.h"
#include "scheduler/journal/testing/record_store_contract.h"

namespace hydra {
namespace {

std::unique_ptr<RecordStore> MakeMemoryStore(const std::string&) {
  return std::make_unique<MemoryRecordStore>();
}

template <bool durable>
std::unique_ptr<RecordStore> MakeSqliteStore(const std::string& path) {
  SqliteRecordStore::Options options;
  options.durable = durable;
  options.schema = ScenarioSchema();
  return *SqliteRecordStore::Open(path, options);
}

INSTANTIATE_TEST_SUITE_P(
    All, RecordStoreContractTest,
    testing::Values(
        RecordStoreImplementation{"Memory", MakeMemoryStore},
        RecordStoreImplementation{"DurableSqlite", MakeSqliteStore<true>},
        RecordStoreImplementation{"FastSqlite", MakeSqliteStore<false>}),
    RecordStoreContractTest::NameOf);

TEST(MemoryRecordStoreTest, ACopyKeepsTheOlderState) {
  MemoryRecordStore store;
  ASSERT_TRUE(store.Apply({MakePut(0, 1, 1, "old")}).ok());
  const MemoryRecordStore copy = store;
  ASSERT_TRUE(store.Apply({MakePut(0, 1, 1, "new")}).ok());
  EXPECT_EQ(*ReadRecords(copy), (Records{{{0, 1, 1}, "old"}}));
}

}  // namespace
}  // namespace hydra
