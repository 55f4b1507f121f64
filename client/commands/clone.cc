#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/submit_report.h"
#include "client/commands/submit_request.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "common/file/working_directory.h"
#include "common/jobfile/job_changes.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

struct CloneOptions {
  std::string job;
  std::vector<std::string> changes;
  std::optional<std::string> name;
  SubmitReport report;
};

// Of the job with that job file, as the options change it.
//
// INVALID_ARGUMENT: what is wrong with the options.
absl::StatusOr<JobFileRequest> MakeRequest(const CloneOptions& options,
                                           const v1::JobSpec& original) {
  std::vector<std::string> changes = options.changes;
  if (options.name.has_value()) {
    changes.push_back(absl::StrCat("name=", *options.name));
  }
  JobFile file;
  file.job = original;
  Mistakes mistakes;
  ChangeJob(changes, &file, &mistakes);
  if (!mistakes.empty()) return ToStatus(mistakes);
  const absl::StatusOr<std::string> base = WorkingDirectory();
  if (!base.ok()) return base.status();
  return RequestOf(std::move(file), *base);
}

// Each job writes into a folder with its id in its name, so a clone writes
// beside what the original wrote.
absl::StatusOr<ExitCode> Clone(const CliContext& context,
                               const Invocation& invocation,
                               const CloneOptions& options) {
  if (absl::Status status = WantJob(options.job); !status.ok()) return status;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  v1::GetJobRequest request;
  request.set_job_id(options.job);
  const auto original = (*connection)->GetJob(request);
  if (!original.ok()) return original.status();
  auto clone = MakeRequest(options, original->job().spec());
  if (!clone.ok()) return clone.status();
  return SubmitAndReport(context, *std::move(clone), options.report,
                         connection->get());
}

}  // namespace

void AddClone(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<CloneOptions>();
  Verb verb(app, "clone",
            "Queue a job like another one, with some keys changed",
            "hydra clone j12 --set train.learning_rate=3e-4 --set train.seed=7",
            invocation, [invocation, options](const CliContext& context) {
              return Clone(context, *invocation, *options);
            });
  verb.Argument("JOB", &options->job, "The job's id")
      .RepeatedOption("--set", "KEY=VALUE", &options->changes,
                      "A key of the job file and its new value; "
                      "KEY=[VALUE,VALUE,...] for a job each, KEY= for the "
                      "key's default")
      .Option("--name", "NAME", &options->name, "In place of the job's name")
      .Flag("--watch", &options->report.watch,
            "Watch the jobs until they end; then results")
      .FlagWithout("--watch", "--validate-only", &options->report.validate_only,
                   "Check, but queue nothing")
      .OutputOption(&options->report.format);
}

}  // namespace hydra
