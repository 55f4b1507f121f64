#include "scheduler/daemon/journal_files.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/journal/sqlite_file.h"

namespace hydra {

namespace fs = std::filesystem;

const RecordSchema& JobsSchema() {
  static const RecordSchema& schema =
      *new RecordSchema{"hydra-jobs",
                        1,
                        {"sweeps", "submitted", "progress", "steps",
                         "evaluations", "checkpoints", "meta"}};
  return schema;
}

const RecordSchema& PoolSchema() {
  static const RecordSchema& schema = *new RecordSchema{
      "hydra-pool",
      1,
      {"meta", "jobs", "blocks", "hand_outs", "workers", "outbox"}};
  return schema;
}

std::string JobsJournalPath(const config::v1::DaemonConfig& config) {
  return absl::StrCat(config.state_dir(), "/jobs.db");
}

std::string PoolJournalPath(const config::v1::DaemonConfig& config) {
  return absl::StrCat(config.pool().path(), ".db");
}

absl::StatusOr<std::unique_ptr<SqliteRecordStore>> OpenJobsJournal(
    const std::string& path) {
  SqliteRecordStore::Options options;
  options.schema = JobsSchema();
  return SqliteRecordStore::Open(path, options);
}

absl::StatusOr<std::unique_ptr<SqliteRecordStore>> OpenPoolJournal(
    const config::v1::DaemonConfig& config) {
  SqliteRecordStore::Options options;
  options.durable = false;
  options.schema = PoolSchema();
  return SqliteRecordStore::Open(PoolJournalPath(config), options);
}

absl::Status ExplainPoolJournal(const config::v1::DaemonConfig& config,
                                const absl::Status& error) {
  std::error_code failed;
  const fs::path folder = fs::path(config.pool().path()).parent_path();
  const fs::space_info space = fs::space(folder, failed);
  return absl::Status(
      error.code(),
      absl::StrCat(
          "the pool's journal cannot be written: ", error.message(), "; ",
          failed ? ""
                 : absl::StrCat("the file system of ", folder.string(), " has ",
                                space.available, " B free; "),
          "make room there (a larger tmpfs, a smaller pool.size_bytes, or "
          "another pool.path); all goes on by itself then"));
}

void RemovePoolJournal(const config::v1::DaemonConfig& config) {
  const absl::Status removed = RemoveSqliteFile(PoolJournalPath(config));
  LOG_IF(WARNING, !removed.ok()) << removed.message();
}

}  // namespace hydra
