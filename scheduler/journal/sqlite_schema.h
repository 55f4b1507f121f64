#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/journal/sqlite_database.h"

namespace hydra {

// What a file of records is for, and what is in it.
struct RecordSchema {
  // Of the application's file: "hydra-jobs".
  std::string name;
  int version = 1;
  // By number.
  std::vector<std::string> tables;
};

// What a file says of itself.
struct FileSchema {
  std::string name;
  int version = 0;
};

// True: nothing has ever been written into this file.
absl::StatusOr<bool> IsBlank(const SqliteDatabase& database);

// Makes the tables and notes name and version, in one transaction. After an
// error a blank file still is.
absl::Status WriteSchema(const SqliteDatabase& database,
                         const RecordSchema& schema);

// DATA_LOSS: this part of the file is damaged.
// FAILED_PRECONDITION: no file of records, so another application's.
absl::StatusOr<FileSchema> ReadSchema(const SqliteDatabase& database);

// FAILED_PRECONDITION: `schema` is another application's, or of another version
// than the file; both are named.
absl::Status CheckSchema(const FileSchema& file, const RecordSchema& schema);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_
