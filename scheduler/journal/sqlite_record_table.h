#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_TABLE_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_TABLE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/journal/record_checksum.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/sqlite_database.h"

namespace hydra {

// One table of records in an SQLite file, each with its checksum. Transactions
// are the caller's. Must not outlive the database. Not thread-safe.
class SqliteRecordTable {
 public:
  // SQL that makes the table, if it is not there.
  static std::string SqlToCreate(const std::string& name);

  // The table must exist.
  static absl::StatusOr<SqliteRecordTable> Open(const SqliteDatabase& database,
                                                const std::string& name);

  absl::Status Apply(const hydra::journal::v1::Change& change);

  // As RecordStore says.
  absl::Status ForEach(RecordVisitor visit);
  absl::Status ForEachFrom(int64_t a, int64_t first_b, RecordVisitor visit);

  const std::string& name() const { return name_; }

 private:
  SqliteRecordTable(const std::string& path, const std::string& name,
                    SqliteStatement put, SqliteStatement erase,
                    SqliteStatement erase_from, SqliteStatement read,
                    SqliteStatement read_from);

  absl::Status Visit(SqliteStatement& read, RecordVisitor visit) const;

  // Of the file, for messages.
  std::string path_;
  std::string name_;
  RecordChecksum checksum_;
  SqliteStatement put_;
  SqliteStatement erase_;
  SqliteStatement erase_from_;
  SqliteStatement read_;
  SqliteStatement read_from_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_TABLE_H_
