#ifndef HYDRA_SCHEDULER_JOURNAL_RECORD_STORE_H_
#define HYDRA_SCHEDULER_JOURNAL_RECORD_STORE_H_

#include <cstdint>
#include <limits>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hydra/journal/v1/journal.pb.h"

namespace hydra {

// Sees one record; `value` is borrowed for the call. An error ends the reading.
// Must not call the store that it reads from.
using RecordVisitor = absl::FunctionRef<absl::Status(int64_t a, int64_t b,
                                                     absl::string_view value)>;

// Tables of records, each a value under a key (a, b). Tables are numbered from
// 0 on; what a table holds is the caller's business.
//
// Whether threads may share a store, and what it outlives, is for the
// implementation to say.
class RecordStore {
 public:
  virtual ~RecordStore() = default;

  // Makes all of the changes, in their order, or none. After an error the
  // records are what they were, and the same call may be tried again.
  //
  // RESOURCE_EXHAUSTED: no room.
  // INVALID_ARGUMENT: a change of an unknown table or kind.
  // Others: what the system said.
  virtual absl::Status Apply(
      absl::Span<const hydra::journal::v1::Change> changes) = 0;

  // The records of `table`, by a and then b, smallest first. Gives back the
  // first error of `visit`.
  //
  // DATA_LOSS: a record is damaged; those before it have been visited.
  // INVALID_ARGUMENT: no such table.
  virtual absl::Status ForEach(int table, RecordVisitor visit) const = 0;

  // As above, for the records of one `a`, from `first_b` on.
  virtual absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                                   RecordVisitor visit) const = 0;
  // All of them.
  absl::Status ForEachOf(int table, int64_t a, RecordVisitor visit) const {
    return ForEachFrom(table, a, std::numeric_limits<int64_t>::min(), visit);
  }
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_RECORD_STORE_H_
