#ifndef HYDRA_SCHEDULER_SUBMISSION_ASKED_JOBS_H_
#define HYDRA_SCHEDULER_SUBMISSION_ASKED_JOBS_H_

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/jobfile/job_file_check.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/new_job.h"

namespace hydra {

// The jobs that a client asks for, be it as messages or as the text of a job
// file: the same jobs, the same mistakes. A plain value; pure.
class AskedJobs {
 public:
  // Of a SubmitRequest or a PlanRequest.
  //
  // INVALID_ARGUMENT: it has both a job file and messages, a base directory
  //   without the one or that is no absolute path, or its job file is no YAML.
  static absl::StatusOr<AskedJobs> Of(const hydra::v1::SubmitRequest& request);
  static absl::StatusOr<AskedJobs> Of(const hydra::v1::PlanRequest& request);

  // As messages: `job`, `grid` and, of a submission, `request_id` alone.
  const hydra::v1::SubmitRequest& messages() const { return messages_; }

  // What `check` makes of messages(), which it may be asked for even if the job
  // file has mistakes: then these are told with its own.
  //
  // INVALID_ARGUMENT: all mistakes; a job file's in the order of the file.
  // Others: `check`'s.
  using CheckFunction = absl::FunctionRef<absl::StatusOr<std::vector<NewJob>>(
      const hydra::v1::SubmitRequest&)>;
  absl::StatusOr<std::vector<NewJob>> Checked(CheckFunction check) const;

  // Whether they could be read as a whole. If not, Checked() fails.
  bool is_whole() const {
    return !known_.has_value() || known_->mistakes.empty();
  }

 private:
  template <typename Request>
  static absl::StatusOr<AskedJobs> Read(const Request& request);

  hydra::v1::SubmitRequest messages_;
  // Of a job file.
  std::optional<JobFileMistakes> known_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_ASKED_JOBS_H_
