#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/sqlite_database.h"

namespace hydra {

// What a file of records is for, and the versions that its records have had.
struct RecordSchema {
  // Turns the records of one version into those of the next. All tables of the
  // newest version are there. An error leaves the file as it was.
  using Upgrade = std::function<absl::Status(RecordStore& records)>;

  // Of the application's file: "hydra-jobs".
  std::string name;
  int version = 1;
  // By number. A newer version only adds tables at the end; it leaves a table
  // that it no longer needs empty.
  std::vector<std::string> tables;
  // The first leads from version 1 to 2, the last to `version`. One that is
  // empty changes no records.
  std::vector<Upgrade> upgrades;
};

// What a file says of itself.
struct FileSchema {
  std::string name;
  int version = 0;
};

// True: nothing has ever been written into this file.
absl::StatusOr<bool> IsBlank(const SqliteDatabase& database);

// Makes the tables that are missing and notes name and version. The caller does
// it in a transaction.
absl::Status WriteSchema(const SqliteDatabase& database,
                         const RecordSchema& schema);

// DATA_LOSS: this part of the file is damaged.
// FAILED_PRECONDITION: no file of records, so another application's.
absl::StatusOr<FileSchema> ReadSchema(const SqliteDatabase& database);

// FAILED_PRECONDITION: `schema` is another application's, or older than the
// file; both are named.
absl::Status CheckSchema(const FileSchema& file, const RecordSchema& schema);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_
