#ifndef HYDRA_SCHEDULER_JOURNAL_SALVAGE_H_
#define HYDRA_SCHEDULER_JOURNAL_SALVAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/journal/salvage_scan.h"
#include "scheduler/journal/sqlite_schema.h"

namespace hydra {

// What was found in a damaged file of records.
struct SalvageReport {
  // Of the records, before and after.
  int version = 0;
  // By number, with the table's name.
  std::vector<std::pair<std::string, SalvageScan>> tables;
  // What is wrong beside damaged records, a sentence each.
  std::vector<std::string> findings;

  // Nothing was lost, as far as one can know.
  bool IsWhole() const;

  // For people, several lines.
  std::string ToText() const;
};

// Reads what can be read of the file of records at `path` and writes a durable
// file of the same version at `out_path`, with all records that match their
// checksum. The damaged file and its log stay as they are. No other process may
// have it open.
//
// A file whose first page is damaged beyond SQLite's understanding cannot be
// read at all; nor can a table whose root page is.
//
// NOT_FOUND: there is no file at `path`.
// ALREADY_EXISTS: there is one at `out_path`.
// FAILED_PRECONDITION: another process holds the file, or it is another
//   application's or of another version than `schema`.
// DATA_LOSS: SQLite cannot read anything of it.
// Others: what the system said. After an error there is no file at `out_path`.
absl::StatusOr<SalvageReport> Salvage(const std::string& path,
                                      const std::string& out_path,
                                      const RecordSchema& schema);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SALVAGE_H_
