#ifndef HYDRA_SCHEDULER_JOURNAL_RECORD_CHANGE_H_
#define HYDRA_SCHEDULER_JOURNAL_RECORD_CHANGE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "hydra/journal/v1/journal.pb.h"

namespace hydra {

// Adds the record (a, b) to `table`, or replaces it.
hydra::journal::v1::Change MakePut(int table, int64_t a, int64_t b,
                                   std::string value);

// Takes the record (a, b) out of `table`, if it is there.
hydra::journal::v1::Change MakeErase(int table, int64_t a, int64_t b);

// Takes every record of this `a` with a `b` of at least `first_b` out.
hydra::journal::v1::Change MakeEraseFrom(int table, int64_t a, int64_t first_b);

// INVALID_ARGUMENT: not of a known kind.
absl::Status CheckKind(const hydra::journal::v1::Change& change);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_RECORD_CHANGE_H_
