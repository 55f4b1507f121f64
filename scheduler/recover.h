#ifndef HYDRA_SCHEDULER_RECOVER_H_
#define HYDRA_SCHEDULER_RECOVER_H_

#include <string>

#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"

namespace hydra {

// What `hydrad recover` found, and what it did.
struct RecoverOutcome {
  enum class State {
    kWhole,
    // What could be read is in jobs.db.recovered.
    kDamaged,
    // It was put in the place of jobs.db.
    kRepaired,
  };
  State state = State::kWhole;
  // For people, several lines.
  std::string text;
};

// Looks at jobs.db in `config`'s state directory, which no daemon uses; nothing
// else of the configuration matters. Of a damaged one it writes the records
// that can be read and belong together (mend_jobs.h) into jobs.db.recovered, in
// the place of an older file of that name. With `write` that file becomes
// jobs.db; the damaged one stays as jobs.db.damaged-N, with its log.
//
// NOT_FOUND: there is no jobs.db.
// FAILED_PRECONDITION: a live daemon owns the directory, or the file is of
//   another version.
// DATA_LOSS: nothing of the file can be read.
// Others: what the system said. After an error jobs.db is as it was.
absl::StatusOr<RecoverOutcome> Recover(const config::v1::DaemonConfig& config,
                                       bool write);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RECOVER_H_
