#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_STORE_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/sqlite_database.h"
#include "scheduler/journal/sqlite_record_tables.h"
#include "scheduler/journal/sqlite_schema.h"

namespace hydra {

// Records in an SQLite file that this process alone uses. They outlive the
// process however it ends; `durable` ones outlive the machine's too.
//
// Thread-safe: one call runs at a time, so a long ForEach holds up the others.
class SqliteRecordStore final : public RecordStore {
 public:
  struct Options {
    // True: what Apply acknowledges is on the disk. False: it is in the page
    // cache, for files on a tmpfs.
    bool durable = true;
    RecordSchema schema;
    // For tests: the sqlite3_vfs to use. Empty: the system's files.
    std::string vfs;
  };

  // Opens the file at `path`, or makes it, readable and writable for its owner
  // alone. Cuts off what an interrupted transaction left behind and says so in
  // the log.
  //
  // The file's structure is checked, which reads all of it; a record's checksum
  // is compared when the record is read.
  //
  // FAILED_PRECONDITION: another process holds the file, or it is another
  //   application's or of another version.
  // DATA_LOSS: the file is damaged, and was left as it is.
  // Others: what the system said.
  static absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open(
      const std::string& path, const Options& options);

  // A transaction that failed on its last step may be found whole after a
  // crash, unless one that went well came after it.
  absl::Status Apply(absl::Span<const hydra::journal::v1::Change> changes)
      override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status ForEach(int table, RecordVisitor visit) const override
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                           RecordVisitor visit) const override
      ABSL_LOCKS_EXCLUDED(mu_);

  // Reads and checks all there is. DATA_LOSS: what was found.
  absl::Status CheckAll() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  SqliteRecordStore(SqliteDatabase database, SqliteRecordTables tables,
                    SqliteStatement begin, SqliteStatement commit);

  mutable absl::Mutex mu_;
  SqliteDatabase database_ ABSL_GUARDED_BY(mu_);
  SqliteRecordTables tables_ ABSL_GUARDED_BY(mu_);
  SqliteStatement begin_ ABSL_GUARDED_BY(mu_);
  SqliteStatement commit_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_RECORD_STORE_H_
