#ifndef HYDRA_SCHEDULER_JOURNAL_TESTING_RECORD_SCENARIO_H_
#define HYDRA_SCHEDULER_JOURNAL_TESTING_RECORD_SCENARIO_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/sqlite_schema.h"

namespace hydra {

// Transactions for tests, numbered from 1. How many of them a store holds, and
// whether it holds nothing else, can be told from its records.

// The scenario's tables, version 1.
RecordSchema ScenarioSchema();

std::vector<hydra::journal::v1::Change> ScenarioTransaction(int number);

// By table, a, b.
using Records = std::map<std::tuple<int, int64_t, int64_t>, std::string>;

absl::StatusOr<Records> ReadRecords(const RecordStore& store);

// What a store holds after the first `transactions`.
Records ScenarioRecords(int transactions);

// How many transactions make these records. DATA_LOSS: no number of them does.
absl::StatusOr<int> CountTransactions(const RecordStore& store);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TESTING_RECORD_SCENARIO_H_
