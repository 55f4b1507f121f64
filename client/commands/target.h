#ifndef HYDRA_CLIENT_COMMANDS_TARGET_H_
#define HYDRA_CLIENT_COMMANDS_TARGET_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

enum class TargetKind { kJob, kSweep };

// Which of the two an id names: "j" or "s" and a number without leading zeros.
// INVALID_ARGUMENT for anything else, with what was probably meant.
absl::StatusOr<TargetKind> ParseTarget(absl::string_view id);

// OK if `id` is a job's. INVALID_ARGUMENT also for a sweep's, with the commands
// that show the sweep.
absl::Status WantJob(absl::string_view id);

// OK if `id` is a sweep's. INVALID_ARGUMENT also for a job's, with the command
// that shows the job.
absl::Status WantSweep(absl::string_view id);

// Puts `id` into a request with a `target` of job_id and sweep_id.
template <typename Request>
absl::Status SetTarget(const std::string& id, Request* request) {
  const absl::StatusOr<TargetKind> kind = ParseTarget(id);
  if (!kind.ok()) return kind.status();
  if (*kind == TargetKind::kJob) {
    request->set_job_id(id);
  } else {
    request->set_sweep_id(id);
  }
  return absl::OkStatus();
}

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_TARGET_H_
