#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_UPGRADE_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_UPGRADE_H_

#include "absl/status/status.h"
#include "scheduler/journal/sqlite_database.h"
#include "scheduler/journal/sqlite_schema.h"

namespace hydra {

// Brings a file from `from_version` (0: a blank file) to the schema's version,
// in one transaction. After an error the file is as it was.
absl::Status BringToVersion(const SqliteDatabase& database,
                            const RecordSchema& schema, int from_version);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_UPGRADE_H_
