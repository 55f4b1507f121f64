#include "scheduler/journal/testing/record_scenario.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"

namespace hydra {
namespace {

enum Table { kCount, kLarge, kSmall, kTables };

// Older transactions leave nothing behind.
constexpr int kRemembered = 20;

}  // namespace

RecordSchema ScenarioSchema() {
  RecordSchema schema;
  schema.name = "scenario";
  schema.tables = {"count", "large", "small"};
  return schema;
}

std::vector<hydra::journal::v1::Change> ScenarioTransaction(int number) {
  // Beyond one page; the small ones together are, too.
  const std::string large(5'000 + number % 7 * 100, 'a' + number % 26);
  const std::string small(300, 'A' + number % 26);
  return {MakePut(kCount, 0, 0, absl::StrCat(number)),
          MakePut(kLarge, number % 5, number, large),
          MakePut(kSmall, number, 0, small + "first"),
          MakePut(kSmall, number, 1, small + "second"),
          MakeErase(kLarge, (number + 2) % 5, number - 3),
          MakeEraseFrom(kSmall, number - kRemembered, 0)};
}

absl::StatusOr<Records> ReadRecords(const RecordStore& store) {
  Records records;
  for (int table = 0; table < kTables; ++table) {
    absl::Status read = store.ForEach(
        table, [&](int64_t a, int64_t b, absl::string_view value) {
          records[{table, a, b}] = std::string(value);
          return absl::OkStatus();
        });
    if (!read.ok()) return read;
  }
  return records;
}

Records ScenarioRecords(int transactions) {
  MemoryRecordStore store;
  // The last ones make all there is.
  const int first = std::max(1, transactions - 2 * kRemembered);
  for (int number = first; number <= transactions; ++number) {
    CHECK(store.Apply(ScenarioTransaction(number)).ok());
  }
  return *ReadRecords(store);
}

absl::StatusOr<int> CountTransactions(const RecordStore& store) {
  const absl::StatusOr<Records> records = ReadRecords(store);
  if (!records.ok()) return records.status();
  int count = 0;
  const auto found = records->find({kCount, 0, 0});
  if (found != records->end() && !absl::SimpleAtoi(found->second, &count)) {
    return absl::DataLossError("the count is no number");
  }
  if (*records == ScenarioRecords(count)) return count;
  return absl::DataLossError(absl::StrCat(
      records->size(), " records are not those of ", count, " transactions"));
}

}  // namespace hydra
