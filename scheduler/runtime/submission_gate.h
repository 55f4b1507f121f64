#ifndef HYDRA_SCHEDULER_RUNTIME_SUBMISSION_GATE_H_
#define HYDRA_SCHEDULER_RUNTIME_SUBMISSION_GATE_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace hydra {

// Where submissions wait until they are on the disk. Thread-safe.
class SubmissionGate {
 public:
  // What GroupCommit's callbacks say.
  void Recorded(uint64_t up_to) ABSL_LOCKS_EXCLUDED(mu_);
  void Refused(uint64_t sequence, const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing more will be recorded.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Returns when the submission is recorded or never will be.
  //
  // As CannotRecord: it was refused, with the reason.
  // As Stopping: whether it was recorded is not known.
  absl::Status Await(uint64_t sequence) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  uint64_t recorded_ ABSL_GUARDED_BY(mu_) = 0;
  // The newest refusals: several may ask about one.
  absl::btree_map<uint64_t, absl::Status> refused_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_SUBMISSION_GATE_H_
