#ifndef HYDRA_SCHEDULER_JOURNAL_RECORD_CHECKSUM_H_
#define HYDRA_SCHEDULER_JOURNAL_RECORD_CHECKSUM_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hydra {

// Computes the checksum that is stored beside a record. It covers the table's
// name and the key too, so a record that was moved is noticed as well. (XXH64;
// part of the files' format.)
class RecordChecksum {
 public:
  explicit RecordChecksum(absl::string_view table_name);

  int64_t Of(int64_t a, int64_t b, absl::string_view value) const;

 private:
  uint64_t table_seed_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_RECORD_CHECKSUM_H_
