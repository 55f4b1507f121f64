#ifndef HYDRA_CLIENT_COMMANDS_TARGET_H_
#define HYDRA_CLIENT_COMMANDS_TARGET_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

enum class TargetKind { kJob, kSweep };

// Which of the two an id names: "j" or "s" and a number. INVALID_ARGUMENT for
// anything else.
absl::StatusOr<TargetKind> ParseTarget(absl::string_view id);

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
