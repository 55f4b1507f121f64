#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/render/format.h"
#include "client/render/json.h"
#include "common/jobfile/field_value.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// What a verb that changes jobs, or all jobs of sweeps, calls and says.
template <typename Request, typename Response>
struct TargetVerb {
  using JobIds = google::protobuf::RepeatedPtrField<std::string>;

  absl::StatusOr<Response> (Connection::*call)(const Request& request);
  // The jobs that a call changed.
  const JobIds& (Response::*job_ids)() const;
  // Stands before each of them. A job that runs ends its step before it is
  // PAUSED, after the call.
  const char* done;
  // Told of an id for which there is none.
  const char* nothing;
};

constexpr TargetVerb<v1::CancelRequest, v1::CancelResponse> kCancel = {
    &Connection::Cancel, &v1::CancelResponse::cancelled_job_ids, "cancelled",
    "nothing to cancel; ended already"};

constexpr TargetVerb<v1::DeleteRequest, v1::DeleteResponse> kDelete = {
    &Connection::Delete, &v1::DeleteResponse::deleted_job_ids, "deleted",
    "not deleted yet; its newest checkpoint is still being written"};

constexpr TargetVerb<v1::PauseRequest, v1::PauseResponse> kPause = {
    &Connection::Pause, &v1::PauseResponse::paused_job_ids, "pausing",
    "nothing to pause; paused or being paused, writing the trained model, or "
    "ended"};

constexpr TargetVerb<v1::ResumeRequest, v1::ResumeResponse> kResume = {
    &Connection::Resume, &v1::ResumeResponse::resumed_job_ids, "resumed",
    "nothing to resume; not paused"};

constexpr TargetVerb<v1::SetPriorityRequest, v1::SetPriorityResponse>
    kPriority = {&Connection::SetPriority,
                 &v1::SetPriorityResponse::changed_job_ids, "changed",
                 "nothing to change; it has this priority, or ended already"};

struct TargetOptions {
  std::vector<std::string> targets;
  bool delete_checkpoints = false;
  OutputFormat format = OutputFormat::kTable;
};

void Tell(const CliContext& context, const std::string& target,
          absl::string_view message) {
  *context.err << "hydra: " << Printable(absl::StrCat(target, ": ", message))
               << "\n";
}

// One call for each id, since the next may be fine when one is not.
template <typename Request>
struct Order {
  std::string target;
  Request request;
};

// `request` for each target that is an id, once. Tells of the others; the first
// one's error goes to `first_error`.
template <typename Request>
std::vector<Order<Request>> MakeOrders(const CliContext& context,
                                       const Request& request,
                                       const std::vector<std::string>& targets,
                                       absl::Status* first_error) {
  std::vector<Order<Request>> orders;
  std::set<std::string> seen;
  for (const std::string& target : targets) {
    if (!seen.insert(target).second) continue;
    Order<Request> order = {target, request};
    const absl::Status status = SetTarget(target, &order.request);
    if (status.ok()) {
      orders.push_back(std::move(order));
      continue;
    }
    *context.err << "hydra: " << Printable(status.message()) << "\n";
    first_error->Update(status);
  }
  return orders;
}

// Nobody answers: the other calls would wait for as long, for nothing.
bool IsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// Tells of each id for which the call failed or changed nothing, and returns
// the jobs that the others changed.
template <typename Request, typename Response>
Response Perform(const CliContext& context,
                 const TargetVerb<Request, Response>& verb,
                 const std::vector<Order<Request>>& orders,
                 Connection* connection, absl::Status* first_error) {
  Response changed;
  for (auto order = orders.begin(); order != orders.end(); ++order) {
    const auto response = (connection->*verb.call)(order->request);
    if (!response.ok()) {
      Tell(context, order->target, response.status().message());
      first_error->Update(response.status());
      if (!IsAway(response.status())) continue;
      while (++order != orders.end()) Tell(context, order->target, "not tried");
      break;
    }
    if (((*response).*verb.job_ids)().empty()) {
      Tell(context, order->target, verb.nothing);
    }
    changed.MergeFrom(*response);
  }
  return changed;
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
    *context.out << Printable(id) << "\n";
  }
}

// Does all that it can; the exit code is that of the first id for which it
// could not.
template <typename Request, typename Response>
absl::StatusOr<ExitCode> Act(const CliContext& context,
                             const Invocation& invocation,
                             const TargetVerb<Request, Response>& verb,
                             const Request& request,
                             const TargetOptions& options) {
  absl::Status first_error;
  const auto orders =
      MakeOrders(context, request, options.targets, &first_error);
  if (orders.empty()) return ExitCodeFor(first_error);
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const Response changed =
      Perform(context, verb, orders, connection->get(), &first_error);
  Print(context, changed, verb, options.format);
  return ExitCodeFor(first_error);
}

void AddTargetOptions(Verb& verb, const std::string& what,
                      TargetOptions* options) {
  verb.Arguments("JOB|SWEEP", &options->targets, what)
      .OutputOption(&options->format);
}

void AddCancel(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TargetOptions>();
  Verb verb(app, "cancel", "Stop jobs, or all jobs of sweeps",
            "hydra cancel j12 s3", invocation,
            [invocation, options](const CliContext& context) {
              v1::CancelRequest request;
              request.set_delete_checkpoints(options->delete_checkpoints);
              return Act(context, *invocation, kCancel, request, *options);
            });
  AddTargetOptions(verb, "What to stop", options.get());
  verb.Flag("--delete-checkpoints", &options->delete_checkpoints,
            "Also remove the checkpoints of the jobs that this stops");
}

void AddDelete(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TargetOptions>();
  Verb verb(app, "delete",
            "Remove jobs that have ended, or all jobs of sweeps, from the "
            "server, with their logs and checkpoints; models stay where they "
            "are",
            "hydra delete j12 s3", invocation,
            [invocation, options](const CliContext& context) {
              return Act(context, *invocation, kDelete, v1::DeleteRequest(),
                         *options);
            });
  AddTargetOptions(verb, "What to remove", options.get());
}

void AddPause(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TargetOptions>();
  Verb verb(
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
  Verb verb(app, "resume",
            "Let paused jobs, or all of sweeps, go on where they were",
            "hydra resume j12 s3", invocation,
            [invocation, options](const CliContext& context) {
              return Act(context, *invocation, kResume, v1::ResumeRequest(),
                         *options);
            });
  AddTargetOptions(verb, "What to resume", options.get());
}

void AddPriority(CLI::App* app, Invocation* invocation) {
  struct PriorityOptions {
    TargetOptions target;
    std::string id;
    std::string priority;
  };
  const auto options = std::make_shared<PriorityOptions>();
  Verb verb(app, "priority",
            "Let a job, or all jobs of a sweep, go before or behind its user's "
            "others",
            "hydra priority j12 10", invocation,
            [invocation,
             options](const CliContext& context) -> absl::StatusOr<ExitCode> {
              v1::SetPriorityRequest request;
              if (absl::Status set =
                      SetValueAt("priority", options->priority, {}, &request);
                  !set.ok()) {
                return absl::InvalidArgumentError(
                    absl::StrCat("PRIORITY: ", set.message()));
              }
              options->target.targets = {options->id};
              return Act(context, *invocation, kPriority, request,
                         options->target);
            });
  verb.Argument("JOB|SWEEP", &options->id, "What goes earlier or later")
      .Argument("PRIORITY", &options->priority,
                "From -1000 to 1000; the higher one goes first")
      .OutputOption(&options->target.format);
}

}  // namespace

void AddTargetVerbs(CLI::App* app, Invocation* invocation) {
  AddPriority(app, invocation);
  AddPause(app, invocation);
  AddResume(app, invocation);
  AddCancel(app, invocation);
  AddDelete(app, invocation);
}

}  // namespace hydra
