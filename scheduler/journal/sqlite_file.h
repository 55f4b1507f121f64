#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_FILE_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/journal/sqlite_database.h"

namespace hydra {

// An SQLite file that one process owns: made for its owner alone, locked as
// long as it is open, checked before it is used.

// Makes an empty file, unless there is one already.
absl::Status MakeFileIfMissing(const std::string& path);

// Removes the file, if it is there, with what belongs to it. The file goes
// last: a log that is left without it would be applied to the next one of its
// name.
absl::Status RemoveSqliteFile(const std::string& path);

enum class OnDamage {
  kRefuse,
  // Read what one can of a damaged page or table of contents.
  kGoOn,
};

// Opens the file at `path` and locks it. Closing leaves it and its log as they
// are until SqliteDatabase::CleanUpOnClose says otherwise.
//
// FAILED_PRECONDITION: another process holds it.
// DATA_LOSS: it is no SQLite file, or its first page is damaged.
// Others: what the system said.
absl::StatusOr<SqliteDatabase> OpenSqliteFile(const std::string& path,
                                              const std::string& vfs,
                                              OnDamage on_damage);

// Says in our log how much of the open file's log was cut off as unfinished.
//
// DATA_LOSS: the file's log is damaged where no interrupted write can have
// been.
absl::Status CheckLog(const std::string& path);

// DATA_LOSS: what SQLite found wrong with the structure of the file. Reads all
// of it.
absl::Status CheckStructure(const SqliteDatabase& database);

// Chooses how transactions are written. Durable: each is on the disk when it is
// acknowledged. Else it is in the page cache.
absl::Status SetDurable(const SqliteDatabase& database, bool durable);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_FILE_H_
