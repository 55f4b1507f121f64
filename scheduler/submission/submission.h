#ifndef HYDRA_SCHEDULER_SUBMISSION_SUBMISSION_H_
#define HYDRA_SCHEDULER_SUBMISSION_SUBMISSION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/jobfile/mistakes.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/job.h"
#include "scheduler/submission/path_policy.h"

namespace hydra {

// Turns a submission into jobs for the core: expands the grid, fills in the
// defaults, and checks everything that can be known before a job runs, against
// the disk and the model's table too. Thread-safe; reads files.
class SubmissionChecker {
 public:
  // `default_output_dir`: where models go that name no other place.
  // `allows_exported_chains`: see hydra.config.v1.DaemonConfig.
  SubmissionChecker(PathPolicy paths, std::string default_output_dir,
                    bool allows_exported_chains = false);

  // `owner`: who submits it, as whom files are looked at; none: nobody knows.
  //
  // INVALID_ARGUMENT: every mistake of every job, each once (see mistakes.h).
  // UNAVAILABLE: hydra-files does not answer.
  // PERMISSION_DENIED: this machine has no such user.
  absl::StatusOr<std::vector<NewJob>> Check(
      const hydra::v1::SubmitRequest& request,
      std::optional<uint32_t> owner = std::nullopt) const;

 private:
  PathPolicy paths_;
  const std::string default_output_dir_;
  const bool allows_exported_chains_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_SUBMISSION_H_
