#ifndef HYDRA_SCHEDULER_JOURNAL_SALVAGE_SCAN_H_
#define HYDRA_SCHEDULER_JOURNAL_SALVAGE_SCAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/sqlite_database.h"

namespace hydra {

struct SalvageKey {
  int64_t a = 0;
  int64_t b = 0;

  friend bool operator<(const SalvageKey& left, const SalvageKey& right) {
    return left.a != right.a ? left.a < right.a : left.b < right.b;
  }
};

// Both ends belong to it.
struct SalvageRange {
  SalvageKey first;
  SalvageKey last;
};

// What a scan of a damaged table found, beside the records that it visited.
struct SalvageScan {
  int64_t good_records = 0;
  // Keys, as they are stored, of records that do not match their checksum.
  absl::btree_set<SalvageKey> damaged_records;
  // Smallest first. There may have been records in them.
  std::vector<SalvageRange> unreadable;
};

// Visits every good record that SQLite can reach, in no certain order, none
// twice. SQLite ends a scan at the first damaged page, so this comes from both
// ends, and then from the middle of what is left, again and again.
//
// Gives back the first error of `visit`.
absl::StatusOr<SalvageScan> ScanDamagedTable(const SqliteDatabase& database,
                                             const std::string& table,
                                             RecordVisitor visit);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SALVAGE_SCAN_H_
