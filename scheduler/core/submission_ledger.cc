#include "scheduler/core/submission_ledger.h"

#include "absl/strings/str_cat.h"

namespace hydra {

absl::Status CheckRepeats(const Submission& first, const RequestKey& again) {
  if (first.digest.empty() || again.digest.empty() ||
      first.digest == again.digest) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat(
      "request_id: the same one came before with another job or grid, which is "
      "sweep s",
      first.sweep.value(),
      "; nothing was queued; each submission needs a request_id of its own"));
}

}  // namespace hydra
