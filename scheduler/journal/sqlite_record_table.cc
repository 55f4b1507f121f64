#include "scheduler/journal/sqlite_record_table.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

constexpr char kCreate[] = R"(
  CREATE TABLE IF NOT EXISTS "$0" (
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    value BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (a, b)
  ) WITHOUT ROWID)";

constexpr char kPut[] = R"(
  INSERT INTO "$0" (a, b, value, checksum) VALUES (?, ?, ?, ?)
  ON CONFLICT (a, b) DO UPDATE
  SET value = excluded.value, checksum = excluded.checksum)";

constexpr char kErase[] = R"(DELETE FROM "$0" WHERE a = ? AND b = ?)";

constexpr char kEraseFrom[] = R"(DELETE FROM "$0" WHERE a = ? AND b >= ?)";

constexpr char kRead[] =
    R"(SELECT a, b, value, checksum FROM "$0" ORDER BY a, b)";

constexpr char kReadFrom[] = R"(
  SELECT a, b, value, checksum FROM "$0" WHERE a = ? AND b >= ? ORDER BY b)";

}  // namespace

std::string SqliteRecordTable::SqlToCreate(const std::string& name) {
  return absl::Substitute(kCreate, name);
}

absl::StatusOr<SqliteRecordTable> SqliteRecordTable::Open(
    const SqliteDatabase& database, const std::string& name) {
  absl::Status status;
  auto prepare = [&](const char* sql) {
    absl::StatusOr<SqliteStatement> statement =
        database.Prepare(absl::Substitute(sql, name));
    status.Update(statement.status());
    return statement;
  };
  auto put = prepare(kPut);
  auto erase = prepare(kErase);
  auto erase_from = prepare(kEraseFrom);
  auto read = prepare(kRead);
  auto read_from = prepare(kReadFrom);
  if (!status.ok()) return status;
  return SqliteRecordTable(database.path(), name, *std::move(put),
                           *std::move(erase), *std::move(erase_from),
                           *std::move(read), *std::move(read_from));
}

SqliteRecordTable::SqliteRecordTable(const std::string& path,
                                     const std::string& name,
                                     SqliteStatement put, SqliteStatement erase,
                                     SqliteStatement erase_from,
                                     SqliteStatement read,
                                     SqliteStatement read_from)
    : path_(path),
      name_(name),
      checksum_(name),
      put_(std::move(put)),
      erase_(std::move(erase)),
      erase_from_(std::move(erase_from)),
      read_(std::move(read)),
      read_from_(std::move(read_from)) {}

absl::Status SqliteRecordTable::Apply(const Change& change) {
  const bool is_put = change.kind() == Change::KIND_PUT;
  SqliteStatement& statement = is_put ? put_
                               : change.kind() == Change::KIND_ERASE
                                   ? erase_
                                   : erase_from_;
  statement.BindInteger(1, change.a());
  statement.BindInteger(2, change.b());
  if (is_put) {
    absl::Status bound = statement.BindBlob(3, change.value());
    if (!bound.ok()) return bound;
    statement.BindInteger(4,
                          checksum_.Of(change.a(), change.b(), change.value()));
  }
  return statement.Run();
}

absl::Status SqliteRecordTable::ForEach(RecordVisitor visit) {
  return Visit(read_, visit);
}

absl::Status SqliteRecordTable::ForEachFrom(int64_t a, int64_t first_b,
                                            RecordVisitor visit) {
  read_from_.BindInteger(1, a);
  read_from_.BindInteger(2, first_b);
  return Visit(read_from_, visit);
}

absl::Status SqliteRecordTable::Visit(SqliteStatement& read,
                                      RecordVisitor visit) const {
  absl::Cleanup reset = [&read] { read.Reset(); };
  while (true) {
    const absl::StatusOr<bool> row = read.Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    const int64_t a = read.Integer(0);
    const int64_t b = read.Integer(1);
    const absl::string_view value = read.Blob(2);
    if (checksum_.Of(a, b, value) != read.Integer(3)) {
      return absl::DataLossError(
          absl::StrCat(path_, ": record (", a, ", ", b, ") of table ", name_,
                       ", ", value.size(), " B, does not match its checksum"));
    }
    absl::Status visited = visit(a, b, value);
    if (!visited.ok()) return visited;
  }
}

}  // namespace hydra
