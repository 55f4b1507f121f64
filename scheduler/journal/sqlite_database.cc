#include "scheduler/journal/sqlite_database.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

absl::StatusCode CodeOf(int sqlite_code, int system_error) {
  if (system_error == ENOSPC || system_error == EDQUOT) {
    return absl::StatusCode::kResourceExhausted;
  }
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_TOOBIG:
      return absl::StatusCode::kInvalidArgument;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_CANTOPEN:
      return system_error == 0 ? absl::StatusCode::kInternal
                               : absl::ErrnoToStatusCode(system_error);
    default:
      return absl::StatusCode::kInternal;
  }
}

// SQLite keeps the last system error; only these codes speak of it.
int SystemErrorOf(sqlite3* database, int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return sqlite3_system_errno(database);
    default:
      return 0;
  }
}

// Of the last call.
absl::Status LastError(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  const int system_error = SystemErrorOf(database, code);
  const char* path = sqlite3_db_filename(database, "main");
  return absl::Status(
      CodeOf(code, system_error),
      absl::StrCat(
          path == nullptr ? "SQLite" : path, ": ", sqlite3_errmsg(database),
          " (SQLite code ", code,
          system_error == 0 ? "" : absl::StrCat(", ", strerror(system_error)),
          ")"));
}

// SQLite finds something wrong with the SQL itself. But that is ours and
// correct, so the file has not the tables or the format that it must have.
absl::Status OfCorrectSql(const absl::Status& error, int sqlite_code) {
  if ((sqlite_code & 0xff) != SQLITE_ERROR) return error;
  return absl::DataLossError(error.message());
}

}  // namespace

void SqliteStatement::BindInteger(int parameter, int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), parameter, value);
  CHECK_EQ(code, SQLITE_OK) << "parameter " << parameter;
}

absl::Status SqliteStatement::BindBlob(int parameter, absl::string_view bytes) {
  // No address would mean NULL.
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  const int code = sqlite3_bind_blob64(statement_.get(), parameter, data,
                                       bytes.size(), SQLITE_STATIC);
  if (code == SQLITE_OK) return absl::OkStatus();
  return LastError(sqlite3_db_handle(statement_.get()));
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return LastError(sqlite3_db_handle(statement_.get()));
}

int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

absl::string_view SqliteStatement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  return absl::string_view(static_cast<const char*>(data), bytes);
}

void SqliteStatement::Reset() {
  // The code says how the last step ended, which is known.
  sqlite3_reset(statement_.get());
}

absl::Status SqliteStatement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

absl::StatusOr<SqliteDatabase> SqliteDatabase::Open(const std::string& path,
                                                    const std::string& vfs) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                   vfs.empty() ? nullptr : vfs.c_str());
  if (raw == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": no memory for an SQLite connection"));
  }
  SqliteDatabase database(path, raw);
  if (code != SQLITE_OK) return LastError(raw);
  sqlite3_extended_result_codes(raw, 1);
  return database;
}

absl::Status SqliteDatabase::Run(const std::string& sql) const {
  const int code =
      sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return absl::OkStatus();
  return OfCorrectSql(LastError(database_.get()), code);
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(
    const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_.get(), sql.c_str(), -1,
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code == SQLITE_OK) return SqliteStatement(statement);
  return OfCorrectSql(LastError(database_.get()), code);
}

absl::StatusOr<int64_t> SqliteDatabase::ReadInteger(
    const std::string& sql) const {
  absl::StatusOr<SqliteStatement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return statement->Integer(0);
}

absl::StatusOr<std::string> SqliteDatabase::ReadText(
    const std::string& sql) const {
  absl::StatusOr<SqliteStatement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return std::string(statement->Blob(0));
}

bool SqliteDatabase::in_transaction() const {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

bool SqliteDatabase::is_read_only() const {
  return sqlite3_db_readonly(database_.get(), "main") == 1;
}

void SqliteDatabase::RollBack() const {
  // Cannot fail in a way that matters: what could not be undone now is undone
  // before the file is read again.
  if (in_transaction()) Run("ROLLBACK").IgnoreError();
}

void SqliteDatabase::CleanUpOnClose(bool clean_up) const {
  const int code =
      sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                        clean_up ? 0 : 1, nullptr);
  CHECK_EQ(code, SQLITE_OK);
}

}  // namespace hydra
