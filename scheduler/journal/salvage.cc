#include "scheduler/journal/salvage.h"

#include <unistd.h>

#include <limits>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_file.h"
#include "scheduler/journal/sqlite_record_store.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

// Of one transaction.
constexpr int kBatchRecords = 1'000;
// Of each kind, in a text for people.
constexpr int kMostNamed = 10;

// Writes records as they come, many in one transaction.
class BatchWriter {
 public:
  explicit BatchWriter(RecordStore& store) : store_(store) {}

  absl::Status Put(int table, int64_t a, int64_t b, absl::string_view value) {
    batch_.push_back(MakePut(table, a, b, std::string(value)));
    return batch_.size() < kBatchRecords ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    absl::Status applied = store_.Apply(batch_);
    batch_.clear();
    return applied;
  }

 private:
  RecordStore& store_;
  std::vector<Change> batch_;
};

absl::StatusOr<SqliteDatabase> OpenDamaged(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no file ", path));
  }
  return OpenSqliteFile(path, /*vfs=*/"", OnDamage::kGoOn);
}

// A damaged file may not say what it is.
absl::Status CheckVersion(const SqliteDatabase& database,
                          const RecordSchema& schema,
                          std::vector<std::string>& findings) {
  const absl::StatusOr<FileSchema> file = ReadSchema(database);
  if (absl::IsDataLoss(file.status())) {
    findings.push_back(absl::StrCat(file.status().message(),
                                    "; taken for version ", schema.version));
    return absl::OkStatus();
  }
  return file.ok() ? CheckSchema(*file, schema) : file.status();
}

void NoteDamage(const SqliteDatabase& database,
                std::vector<std::string>& findings) {
  for (const absl::Status& status :
       {CheckLog(database.path()), CheckStructure(database)}) {
    if (!status.ok()) findings.push_back(std::string(status.message()));
  }
}

absl::Status CopyTables(const SqliteDatabase& damaged,
                        const RecordSchema& schema, RecordStore& out,
                        SalvageReport& report) {
  BatchWriter writer(out);
  for (int table = 0; table < schema.tables.size(); ++table) {
    const std::string& name = schema.tables[table];
    absl::StatusOr<SalvageScan> scan = ScanDamagedTable(
        damaged, name, [&](int64_t a, int64_t b, absl::string_view value) {
          return writer.Put(table, a, b, value);
        });
    if (!scan.ok()) return scan.status();
    report.tables.emplace_back(name, *std::move(scan));
  }
  return writer.Flush();
}

std::string ToText(const SalvageKey& key) {
  return absl::StrCat("(", key.a, ", ", key.b, ")");
}

std::string ToText(const SalvageRange& range) {
  const bool from_start = range.first.a == std::numeric_limits<int64_t>::min();
  const bool to_end = range.last.a == std::numeric_limits<int64_t>::max();
  return absl::StrCat(from_start ? "the beginning" : ToText(range.first),
                      " to ", to_end ? "the end" : ToText(range.last));
}

template <typename Items, typename TextOf>
std::string FirstOf(const Items& items, TextOf text_of) {
  std::string text;
  int named = 0;
  for (const auto& item : items) {
    if (named == kMostNamed) {
      return absl::StrCat(text, ", and ", items.size() - named, " more");
    }
    absl::StrAppend(&text, named == 0 ? "" : ", ", text_of(item));
    ++named;
  }
  return text;
}

std::string ToText(const std::string& name, const SalvageScan& scan) {
  std::string text =
      absl::StrCat("table ", name, ": ", scan.good_records, " good records\n");
  if (!scan.damaged_records.empty()) {
    absl::StrAppend(&text, "  lost, since they do not match their checksums: ",
                    scan.damaged_records.size(), " records: ",
                    FirstOf(scan.damaged_records,
                            [](const SalvageKey& key) { return ToText(key); }),
                    "\n");
  }
  if (!scan.unreadable.empty()) {
    absl::StrAppend(
        &text, "  lost, if there were any: records from ",
        FirstOf(scan.unreadable,
                [](const SalvageRange& range) { return ToText(range); }),
        "\n");
  }
  return text;
}

}  // namespace

bool SalvageReport::IsWhole() const {
  for (const auto& [name, scan] : tables) {
    if (!scan.damaged_records.empty() || !scan.unreadable.empty()) return false;
  }
  return findings.empty();
}

std::string SalvageReport::ToText() const {
  std::string text = absl::StrCat("version ", version, "\n");
  for (const std::string& finding : findings) {
    absl::StrAppend(&text, finding, "\n");
  }
  for (const auto& [name, scan] : tables) {
    absl::StrAppend(&text, hydra::ToText(name, scan));
  }
  return text;
}

absl::StatusOr<SalvageReport> Salvage(const std::string& path,
                                      const std::string& out_path,
                                      const RecordSchema& schema) {
  if (access(out_path.c_str(), F_OK) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(out_path, " is there already"));
  }
  absl::StatusOr<SqliteDatabase> damaged = OpenDamaged(path);
  if (!damaged.ok()) return damaged.status();
  SalvageReport report;
  if (absl::Status fits = CheckVersion(*damaged, schema, report.findings);
      !fits.ok()) {
    return fits;
  }
  report.version = schema.version;
  NoteDamage(*damaged, report.findings);

  absl::Cleanup remove_out = [&] { (void)RemoveSqliteFile(out_path); };
  SqliteRecordStore::Options options;
  options.schema = schema;
  absl::StatusOr<std::unique_ptr<SqliteRecordStore>> out =
      SqliteRecordStore::Open(out_path, options);
  if (!out.ok()) return out.status();
  absl::Status copied = CopyTables(*damaged, schema, **out, report);
  if (!copied.ok()) return copied;
  std::move(remove_out).Cancel();
  return report;
}

}  // namespace hydra
