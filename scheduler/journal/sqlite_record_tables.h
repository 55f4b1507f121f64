#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_TABLES_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_TABLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/sqlite_database.h"
#include "scheduler/journal/sqlite_record_table.h"

namespace hydra {

// All tables of an SQLite file, by number. Transactions are the caller's: an
// Apply that fails leaves it to the caller to undo what it did. Must not
// outlive the database. Not thread-safe.
class SqliteRecordTables final : public RecordStore {
 public:
  // DATA_LOSS: one of the tables is not there.
  static absl::StatusOr<SqliteRecordTables> Open(
      const SqliteDatabase& database, const std::vector<std::string>& names);

  absl::Status Apply(
      absl::Span<const hydra::journal::v1::Change> changes) override;
  absl::Status ForEach(int table, RecordVisitor visit) const override;
  absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                           RecordVisitor visit) const override;

  int size() const { return tables_.size(); }

 private:
  SqliteRecordTables() = default;

  absl::Status CheckTable(int table) const;

  // Reading steps their statements.
  mutable std::vector<SqliteRecordTable> tables_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_TABLES_H_
