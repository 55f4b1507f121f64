#include "scheduler/journal/sqlite_record_store.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "scheduler/journal/sqlite_file.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

// Whether it is blank; else it is one of these. Nothing has been written yet.
absl::StatusOr<bool> CheckFile(const SqliteDatabase& database,
                               const RecordSchema& schema) {
  const absl::StatusOr<bool> blank = IsBlank(database);
  if (!blank.ok()) return blank.status();
  if (*blank) return true;
  const absl::StatusOr<FileSchema> file = ReadSchema(database);
  if (!file.ok()) return file.status();
  absl::Status fits = CheckSchema(*file, schema);
  if (!fits.ok()) {
    return absl::Status(fits.code(),
                        absl::StrCat(database.path(), ": ", fits.message()));
  }
  absl::Status structure = CheckStructure(database);
  if (!structure.ok()) return structure;
  return false;
}

absl::StatusOr<SqliteDatabase> OpenChecked(
    const std::string& path, const SqliteRecordStore::Options& options) {
  absl::Status status = MakeFileIfMissing(path);
  if (!status.ok()) return status;
  absl::StatusOr<SqliteDatabase> database =
      OpenSqliteFile(path, options.vfs, OnDamage::kRefuse);
  if (!database.ok()) return database.status();
  status = CheckLog(path);
  if (!status.ok()) return status;
  const absl::StatusOr<bool> blank = CheckFile(*database, options.schema);
  if (!blank.ok()) return blank.status();
  status = SetDurable(*database, options.durable);
  if (status.ok() && *blank) status = WriteSchema(*database, options.schema);
  if (status.ok() && *blank && options.durable) {
    status = SyncDirectory(SplitPath(path).folder);
  }
  if (!status.ok()) return status;
  database->CleanUpOnClose(true);
  return database;
}

absl::Status WithAdvice(const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(absl::StrCat(
      status.message(), "; `hydrad recover` explains and repairs"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteRecordStore>> SqliteRecordStore::Open(
    const std::string& path, const Options& options) {
  absl::StatusOr<SqliteDatabase> database = OpenChecked(path, options);
  if (!database.ok()) return WithAdvice(database.status());
  absl::StatusOr<SqliteRecordTables> tables =
      SqliteRecordTables::Open(*database, options.schema.tables);
  if (!tables.ok()) return WithAdvice(tables.status());
  absl::StatusOr<SqliteStatement> begin = database->Prepare("BEGIN");
  if (!begin.ok()) return begin.status();
  absl::StatusOr<SqliteStatement> commit = database->Prepare("COMMIT");
  if (!commit.ok()) return commit.status();
  return absl::WrapUnique(
      new SqliteRecordStore(*std::move(database), *std::move(tables),
                            *std::move(begin), *std::move(commit)));
}

SqliteRecordStore::SqliteRecordStore(SqliteDatabase database,
                                     SqliteRecordTables tables,
                                     SqliteStatement begin,
                                     SqliteStatement commit)
    : database_(std::move(database)),
      tables_(std::move(tables)),
      begin_(std::move(begin)),
      commit_(std::move(commit)) {}

absl::Status SqliteRecordStore::Apply(absl::Span<const Change> changes) {
  if (changes.empty()) return absl::OkStatus();
  absl::MutexLock lock(&mu_);
  absl::Status status = begin_.Run();
  if (status.ok()) status = tables_.Apply(changes);
  if (status.ok()) status = commit_.Run();
  if (!status.ok()) database_.RollBack();
  return status;
}

absl::Status SqliteRecordStore::ForEach(int table, RecordVisitor visit) const {
  absl::MutexLock lock(&mu_);
  return WithAdvice(tables_.ForEach(table, visit));
}

absl::Status SqliteRecordStore::ForEachFrom(int table, int64_t a,
                                            int64_t first_b,
                                            RecordVisitor visit) const {
  absl::MutexLock lock(&mu_);
  return WithAdvice(tables_.ForEachFrom(table, a, first_b, visit));
}

absl::Status SqliteRecordStore::CheckAll() const {
  absl::MutexLock lock(&mu_);
  absl::Status status = CheckStructure(database_);
  for (int table = 0; table < tables_.size(); ++table) {
    status.Update(tables_.ForEach(
        table,
        [](int64_t, int64_t, absl::string_view) { return absl::OkStatus(); }));
  }
  return status;
}

}  // namespace hydra
