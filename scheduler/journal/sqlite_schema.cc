#include "scheduler/journal/sqlite_schema.h"

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "scheduler/journal/record_checksum.h"
#include "scheduler/journal/sqlite_record_table.h"

namespace hydra {
namespace {

constexpr char kMetaTable[] = "hydra_meta";

// Marks a file of records in SQLite's own header ("Hydr"), so that one whose
// meta table is damaged is not taken for another application's.
constexpr int64_t kApplicationId = 0x48796472;

absl::Status WriteMeta(const SqliteDatabase& database,
                       const RecordSchema& schema) {
  absl::StatusOr<SqliteStatement> insert = database.Prepare(
      absl::StrCat("INSERT INTO ", kMetaTable,
                   " (name, version, checksum) VALUES (?, ?, ?)"));
  if (!insert.ok()) return insert.status();
  absl::Status bound = insert->BindBlob(1, schema.name);
  if (!bound.ok()) return bound;
  insert->BindInteger(2, schema.version);
  insert->BindInteger(
      3, RecordChecksum(kMetaTable).Of(schema.version, 0, schema.name));
  return insert->Run();
}

absl::Status NoMeta(const SqliteDatabase& database) {
  const absl::StatusOr<int64_t> id =
      database.ReadInteger("PRAGMA application_id");
  if (!id.ok()) return id.status();
  if (*id == kApplicationId) {
    return absl::DataLossError(
        absl::StrCat(database.path(), ": its table ", kMetaTable, " is lost"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      database.path(), " is an SQLite file of another application (id ", *id,
      ", ours is ", kApplicationId, ")"));
}

absl::Status MakeTables(const SqliteDatabase& database,
                        const RecordSchema& schema) {
  std::string sql = absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                 "; CREATE TABLE ", kMetaTable,
                                 " (name BLOB NOT NULL, version INTEGER NOT "
                                 "NULL, checksum INTEGER NOT NULL)");
  for (const std::string& table : schema.tables) {
    absl::StrAppend(&sql, ";", SqliteRecordTable::SqlToCreate(table));
  }
  absl::Status made = database.Run(sql);
  if (!made.ok()) return made;
  return WriteMeta(database, schema);
}

}  // namespace

absl::StatusOr<bool> IsBlank(const SqliteDatabase& database) {
  const absl::StatusOr<int64_t> id =
      database.ReadInteger("PRAGMA application_id");
  if (!id.ok()) return id.status();
  const absl::StatusOr<int64_t> pages =
      database.ReadInteger("PRAGMA page_count");
  if (!pages.ok()) return pages.status();
  const absl::StatusOr<int64_t> objects =
      database.ReadInteger("SELECT count(*) FROM sqlite_schema");
  if (!objects.ok()) return objects.status();
  // SQLite may have begun its first page without anything in it.
  return *id == 0 && *pages <= 1 && *objects == 0;
}

absl::Status WriteSchema(const SqliteDatabase& database,
                         const RecordSchema& schema) {
  absl::Status status = database.Run("BEGIN");
  absl::Cleanup roll_back = [&database] { database.RollBack(); };
  if (status.ok()) status = MakeTables(database, schema);
  if (status.ok()) status = database.Run("COMMIT");
  return status;
}

absl::StatusOr<FileSchema> ReadSchema(const SqliteDatabase& database) {
  const absl::StatusOr<int64_t> tables = database.ReadInteger(absl::StrCat(
      "SELECT count(*) FROM sqlite_schema WHERE name = '", kMetaTable, "'"));
  if (!tables.ok()) return tables.status();
  if (*tables == 0) return NoMeta(database);
  absl::StatusOr<SqliteStatement> read = database.Prepare(
      absl::StrCat("SELECT name, version, checksum FROM ", kMetaTable));
  if (!read.ok()) return read.status();
  const absl::StatusOr<bool> row = read->Step();
  if (!row.ok()) return row.status();
  FileSchema schema;
  schema.name = *row ? std::string(read->Blob(0)) : "";
  schema.version = *row ? read->Integer(1) : 0;
  if (!*row || RecordChecksum(kMetaTable).Of(schema.version, 0, schema.name) !=
                   read->Integer(2)) {
    return absl::DataLossError(absl::StrCat(database.path(), ": its table ",
                                            kMetaTable, " is damaged"));
  }
  return schema;
}

absl::Status CheckSchema(const FileSchema& file, const RecordSchema& schema) {
  if (file.name != schema.name) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the file is for ", file.name, ", expected ", schema.name));
  }
  if (file.version != schema.version) {
    return absl::FailedPreconditionError(
        absl::StrCat("the file has version ", file.version, " of ", schema.name,
                     ", this program knows version ", schema.version));
  }
  return absl::OkStatus();
}

}  // namespace hydra
