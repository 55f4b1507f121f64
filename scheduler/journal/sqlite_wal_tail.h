#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_WAL_TAIL_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_WAL_TAIL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// How an SQLite write-ahead log ends. SQLite takes its frames up to the last
// whole transaction and says nothing of the others.
struct WalTail {
  int64_t kept_frames = 0;
  // Written after the last whole transaction, the last of them perhaps in part.
  int64_t cut_frames = 0;
  int64_t cut_bytes = 0;
};

// Reads the log at `path`, and changes nothing. A missing log is an empty one.
// Nobody may write the log meanwhile.
//
// DATA_LOSS: damage that no interrupted write leaves behind: whole transactions
//   follow it, and SQLite would forget them.
// Others: what the system said.
absl::StatusOr<WalTail> InspectWal(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_WAL_TAIL_H_
