#include <memory>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/render/format.h"
#include "client/render/json.h"

namespace hydra {
namespace {

struct CancelOptions {
  std::vector<std::string> targets;
  OutputFormat format = OutputFormat::kTable;
};

// No id is wrong before the first job is cancelled.
absl::StatusOr<std::vector<v1::CancelRequest>> MakeRequests(
    const std::vector<std::string>& targets) {
  std::vector<v1::CancelRequest> requests;
  for (const std::string& target : targets) {
    const absl::Status status = SetTarget(target, &requests.emplace_back());
    if (!status.ok()) return status;
  }
  return requests;
}

void Print(const CliContext& context, const v1::CancelResponse& cancelled,
           OutputFormat format) {
  if (format == OutputFormat::kJson) {
    *context.out << JsonText(cancelled);
    return;
  }
  const char* const prefix = format == OutputFormat::kId ? "" : "cancelled ";
  for (const std::string& id : cancelled.cancelled_job_ids()) {
    *context.out << prefix << EscapeControl(id) << "\n";
  }
  if (cancelled.cancelled_job_ids().empty()) {
    *context.err << "hydra: nothing to cancel; the jobs have ended already\n";
  }
}

absl::StatusOr<ExitCode> Cancel(const CliContext& context,
                                const Invocation& invocation,
                                const CancelOptions& options) {
  const auto requests = MakeRequests(options.targets);
  if (!requests.ok()) return requests.status();
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  v1::CancelResponse cancelled;
  absl::Status status;
  for (const v1::CancelRequest& request : *requests) {
    const auto response =
        (*connection)->Call(&Connection::Stub::Cancel, request);
    status = response.status();
    if (!status.ok()) break;
    cancelled.MergeFrom(*response);
  }
  if (!status.ok() && cancelled.cancelled_job_ids().empty()) return status;
  Print(context, cancelled, options.format);
  if (!status.ok()) return status;
  return ExitCode::kOk;
}

}  // namespace

void AddCancel(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<CancelOptions>();
  CLI::App* verb = AddVerb(app, "cancel", "Stop jobs, or all jobs of sweeps",
                           "hydra cancel j12 s3", invocation,
                           [invocation, options](const CliContext& context) {
                             return Cancel(context, *invocation, *options);
                           });
  verb->add_option("JOB|SWEEP", options->targets, "What to stop")->required();
  AddOutputOption(verb, &options->format);
}

}  // namespace hydra
