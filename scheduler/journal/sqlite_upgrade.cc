#include "scheduler/journal/sqlite_upgrade.h"

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "scheduler/journal/sqlite_record_tables.h"

namespace hydra {
namespace {

absl::Status RunUpgrades(const SqliteDatabase& database,
                         const RecordSchema& schema, int from_version) {
  absl::StatusOr<SqliteRecordTables> records =
      SqliteRecordTables::Open(database, schema.tables);
  if (!records.ok()) return records.status();
  for (int version = from_version; version < schema.version; ++version) {
    const RecordSchema::Upgrade& upgrade = schema.upgrades[version - 1];
    absl::Status upgraded = upgrade ? upgrade(*records) : absl::OkStatus();
    if (!upgraded.ok()) {
      return absl::Status(
          upgraded.code(),
          absl::StrCat(database.path(), ": cannot bring ", schema.name,
                       " from version ", version, " to ", version + 1, ": ",
                       upgraded.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BringToVersion(const SqliteDatabase& database,
                            const RecordSchema& schema, int from_version) {
  absl::Status status = database.Run("BEGIN");
  absl::Cleanup roll_back = [&database] { database.RollBack(); };
  if (status.ok()) status = WriteSchema(database, schema);
  if (status.ok() && from_version > 0) {
    status = RunUpgrades(database, schema, from_version);
  }
  if (status.ok()) status = database.Run("COMMIT");
  return status;
}

}  // namespace hydra
