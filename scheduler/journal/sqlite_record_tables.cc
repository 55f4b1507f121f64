#include "scheduler/journal/sqlite_record_tables.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/journal/record_change.h"

namespace hydra {

using hydra::journal::v1::Change;

absl::StatusOr<SqliteRecordTables> SqliteRecordTables::Open(
    const SqliteDatabase& database, const std::vector<std::string>& names) {
  SqliteRecordTables tables;
  for (const std::string& name : names) {
    absl::StatusOr<SqliteRecordTable> table =
        SqliteRecordTable::Open(database, name);
    if (!table.ok()) return table.status();
    tables.tables_.push_back(*std::move(table));
  }
  return tables;
}

absl::Status SqliteRecordTables::Apply(absl::Span<const Change> changes) {
  for (const Change& change : changes) {
    absl::Status status = CheckTable(change.table());
    if (status.ok()) status = CheckKind(change);
    if (status.ok()) status = tables_[change.table()].Apply(change);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteRecordTables::ForEach(int table, RecordVisitor visit) const {
  absl::Status known = CheckTable(table);
  return known.ok() ? tables_[table].ForEach(visit) : known;
}

absl::Status SqliteRecordTables::ForEachFrom(int table, int64_t a,
                                             int64_t first_b,
                                             RecordVisitor visit) const {
  absl::Status known = CheckTable(table);
  return known.ok() ? tables_[table].ForEachFrom(a, first_b, visit) : known;
}

absl::Status SqliteRecordTables::CheckTable(int table) const {
  if (table >= 0 && table < size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("there is no table ", table, " among ", size()));
}

}  // namespace hydra
