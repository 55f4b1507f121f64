#ifndef HYDRA_SCHEDULER_DAEMON_JOURNAL_FILES_H_
#define HYDRA_SCHEDULER_DAEMON_JOURNAL_FILES_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/journal/sqlite_record_store.h"

// The files of the two journals.
namespace hydra {

// Their schemas.
const RecordSchema& JobsSchema();
const RecordSchema& PoolSchema();

// Where they are: jobs.db in the state directory, pool.db beside the pool.
std::string JobsJournalPath(const config::v1::DaemonConfig& config);
std::string PoolJournalPath(const config::v1::DaemonConfig& config);

// Any file of jobs.db's records. Errors: as SqliteRecordStore::Open.
absl::StatusOr<std::unique_ptr<SqliteRecordStore>> OpenJobsJournal(
    const std::string& path);
// The one beside the pool. Errors: as SqliteRecordStore::Open.
absl::StatusOr<std::unique_ptr<SqliteRecordStore>> OpenPoolJournal(
    const config::v1::DaemonConfig& config);

// What an error of writing pool.db means: with the room that its file system
// has, and what to do.
absl::Status ExplainPoolJournal(const config::v1::DaemonConfig& config,
                                const absl::Status& error);

// Removes the pool's journal; call it when the pool is removed too.
void RemovePoolJournal(const config::v1::DaemonConfig& config);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_JOURNAL_FILES_H_
