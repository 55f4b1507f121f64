#include "client/render/drain.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/verb.h"
#include "client/render/format.h"
#include "client/render/json.h"
#include "client/render/worker_cells.h"
#include "client/watch/patience.h"

namespace hydra {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(500);

struct DrainOptions {
  std::vector<std::string> devices;
  bool all = false;
  std::string reason;
  bool waits = false;
  OutputFormat format = OutputFormat::kTable;
};

template <typename Response>
bool AnyHasTasks(const Response& response, const DrainOptions& options) {
  return std::any_of(response.workers().begin(), response.workers().end(),
                     [&](const v1::WorkerStatus& worker) {
                       const bool meant =
                           options.all || absl::c_linear_search(
                                              options.devices, worker.device());
                       return meant && HasTasks(worker);
                     });
}

// Until nothing computes there. Replaces the reply's workers by the newest.
absl::Status AwaitNoTasks(const CliContext& context,
                          const Invocation& invocation,
                          const DrainOptions& options, Connection* connection,
                          v1::DrainResponse* response) {
  const absl::Duration time = invocation.timeout_seconds.has_value()
                                  ? absl::Seconds(*invocation.timeout_seconds)
                                  : absl::InfiniteDuration();
  Patience patience(time, context.interrupt);
  while (AnyHasTasks(*response, options)) {
    if (patience.interrupt()->WaitFor(kLookEvery)) {
      return patience.ended() ? absl::DeadlineExceededError(absl::StrCat(
                                    "drained, and still computing after ",
                                    DurationText(time)))
                              : absl::CancelledError("interrupted");
    }
    auto now = connection->ListWorkers(v1::ListWorkersRequest());
    if (!now.ok()) return now.status();
    *response->mutable_workers() = std::move(*now->mutable_workers());
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Drain(const CliContext& context,
                               const Invocation& invocation, bool undrain,
                               const DrainOptions& options) {
  if (options.all != options.devices.empty()) {
    return absl::InvalidArgumentError(
        options.all ? "--devices and --all exclude each other"
                    : "which devices? --devices cpu:0,cpu:1, as hydra workers "
                      "names them, or --all for the server as a whole");
  }
  v1::DrainRequest request;
  request.mutable_devices()->Assign(options.devices.begin(),
                                    options.devices.end());
  request.set_all(options.all);
  request.set_reason(options.reason);
  request.set_undrain(undrain);
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  absl::StatusOr<v1::DrainResponse> response = (*connection)->Drain(request);
  if (!response.ok()) return response.status();
  if (options.waits) {
    const absl::Status waited = AwaitNoTasks(context, invocation, options,
                                             connection->get(), &*response);
    if (!waited.ok()) return waited;
  }
  *context.out << (options.format == OutputFormat::kJson
                       ? JsonText(*response)
                       : RenderDrained(*response));
  return ExitCode::kOk;
}

void AddWhat(Verb& verb, DrainOptions* options) {
  verb.ListOption("--devices", "DEVICES", &options->devices,
                  "Which, with commas between them: cuda:0,cuda:1")
      .Flag("--all", &options->all,
            "The server as a whole; devices that are drained by themselves "
            "stay so when that ends")
      .OutputOption(&options->format, /*has_ids=*/false);
}

}  // namespace

void AddDrain(CLI::App* app, Invocation* invocation) {
  const auto drained = std::make_shared<DrainOptions>();
  Verb drain(app, "drain",
             "Give devices no more tasks, or put the whole server into "
             "maintenance, also across its restarts, for operators",
             "hydra drain --devices cuda:0 --reason \"new fan\" --wait",
             invocation, [invocation, drained](const CliContext& context) {
               return Drain(context, *invocation, /*undrain=*/false, *drained);
             });
  AddWhat(drain, drained.get());
  drain
      .Option("--reason", "TEXT", &drained->reason,
              "Why, for those whose jobs wait")
      .Flag("--wait", &drained->waits,
            "Wait until nothing computes there; at most --timeout seconds, if "
            "that is given");
  const auto undrained = std::make_shared<DrainOptions>();
  Verb undrain(app, "undrain",
               "Give drained devices tasks again, or end the server's "
               "maintenance, for operators",
               "hydra undrain --devices cuda:0", invocation,
               [invocation, undrained](const CliContext& context) {
                 return Drain(context, *invocation, /*undrain=*/true,
                              *undrained);
               });
  AddWhat(undrain, undrained.get());
}

}  // namespace hydra
