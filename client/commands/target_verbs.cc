#include <memory>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/render/format.h"
#include "client/render/json.h"

namespace hydra {
namespace {

// What a verb that changes jobs, or all jobs of sweeps, calls and says.
template <typename Request, typename Response>
struct TargetVerb {
  using JobIds = google::protobuf::RepeatedPtrField<std::string>;

  grpc::Status (Connection::Stub::*method)(grpc::ClientContext*, const Request&,
                                           Response*);
  // The jobs that a call changed.
  const JobIds& (Response::*job_ids)() const;
  // Stands before each of them. A job that runs ends its step before it is
  // PAUSED, after the call.
  const char* done;
  // Told when there is none.
  const char* nothing;
};

constexpr TargetVerb<v1::CancelRequest, v1::CancelResponse> kCancel = {
    &Connection::Stub::Cancel, &v1::CancelResponse::cancelled_job_ids,
    "cancelled", "nothing to cancel; the jobs have ended already"};

constexpr TargetVerb<v1::PauseRequest, v1::PauseResponse> kPause = {
    &Connection::Stub::Pause, &v1::PauseResponse::paused_job_ids, "pausing",
    "nothing to pause; the jobs are paused or being paused, write their "
    "trained model, or have ended"};

constexpr TargetVerb<v1::ResumeRequest, v1::ResumeResponse> kResume = {
    &Connection::Stub::Resume, &v1::ResumeResponse::resumed_job_ids, "resumed",
    "nothing to resume; none of the jobs is paused"};

struct TargetOptions {
  std::vector<std::string> targets;
  bool delete_checkpoints = false;
  OutputFormat format = OutputFormat::kTable;
};

// `request` for each target. No id is wrong before the first job is changed.
template <typename Request>
absl::StatusOr<std::vector<Request>> MakeRequests(
    const Request& request, const std::vector<std::string>& targets) {
  std::vector<Request> requests;
  for (const std::string& target : targets) {
    const absl::Status status =
        SetTarget(target, &requests.emplace_back(request));
    if (!status.ok()) return status;
  }
  return requests;
}

template <typename Request, typename Response>
void Print(const CliContext& context, const Response& changed,
           const TargetVerb<Request, Response>& verb, OutputFormat format) {
  if (format == OutputFormat::kJson) {
    *context.out << JsonText(changed);
    return;
  }
  for (const std::string& id : (changed.*verb.job_ids)()) {
    if (format == OutputFormat::kTable) *context.out << verb.done << " ";
    *context.out << EscapeControl(id) << "\n";
  }
  if ((changed.*verb.job_ids)().empty()) {
    *context.err << "hydra: " << verb.nothing << "\n";
  }
}

// Ends with the first call that fails; what those before it changed is printed
// all the same.
template <typename Request, typename Response>
absl::StatusOr<ExitCode> Act(const CliContext& context,
                             const Invocation& invocation,
                             const TargetVerb<Request, Response>& verb,
                             const Request& request,
                             const TargetOptions& options) {
  const auto requests = MakeRequests(request, options.targets);
  if (!requests.ok()) return requests.status();
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  Response changed;
  absl::Status status;
  for (const Request& each : *requests) {
    const auto response = (*connection)->Call(verb.method, each);
    status = response.status();
    if (!status.ok()) break;
    changed.MergeFrom(*response);
  }
  if (!status.ok() && (changed.*verb.job_ids)().empty()) return status;
  Print(context, changed, verb, options.format);
  if (!status.ok()) return status;
  return ExitCode::kOk;
}

void AddTargetOptions(CLI::App* verb, const std::string& what,
                      TargetOptions* options) {
  verb->add_option("JOB|SWEEP", options->targets, what)->required();
  AddOutputOption(verb, &options->format);
}

void AddCancel(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TargetOptions>();
  CLI::App* verb = AddVerb(
      app, "cancel", "Stop jobs, or all jobs of sweeps", "hydra cancel j12 s3",
      invocation, [invocation, options](const CliContext& context) {
        v1::CancelRequest request;
        request.set_delete_checkpoints(options->delete_checkpoints);
        return Act(context, *invocation, kCancel, request, *options);
      });
  AddTargetOptions(verb, "What to stop", options.get());
  verb->add_flag("--delete-checkpoints", options->delete_checkpoints,
                 "Also remove the checkpoints of the jobs that this stops");
}

void AddPause(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TargetOptions>();
  CLI::App* verb = AddVerb(
      app, "pause",
      "Write a checkpoint of jobs, or of all jobs of sweeps, at the end of "
      "their step, and free what they hold",
      "hydra pause j12 s3", invocation,
      [invocation, options](const CliContext& context) {
        return Act(context, *invocation, kPause, v1::PauseRequest(), *options);
      });
  AddTargetOptions(verb, "What to pause", options.get());
}

void AddResume(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TargetOptions>();
  CLI::App* verb = AddVerb(
      app, "resume", "Let paused jobs, or all of sweeps, go on where they were",
      "hydra resume j12 s3", invocation,
      [invocation, options](const CliContext& context) {
        return Act(context, *invocation, kResume, v1::ResumeRequest(),
                   *options);
      });
  AddTargetOptions(verb, "What to resume", options.get());
}

}  // namespace

void AddTargetVerbs(CLI::App* app, Invocation* invocation) {
  AddPause(app, invocation);
  AddResume(app, invocation);
  AddCancel(app, invocation);
}

}  // namespace hydra
