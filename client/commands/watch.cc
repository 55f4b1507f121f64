#include <memory>
#include <optional>
#include <string>

#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/commands/watch_report.h"
#include "client/render/leaderboard.h"
#include "client/watch/follow_jobs.h"
#include "client/watch/watch_sink.h"

namespace hydra {
namespace {

struct WatchOptions {
  // Unset: all jobs, for ever.
  std::optional<std::string> target;
  int interval_ms = 0;
  OutputFormat format = OutputFormat::kTable;
};

absl::Status Report(const CliContext& context, const v1::WatchRequest& request,
                    const WatchModel& model, Connection* connection) {
  if (!request.sweep_id().empty()) {
    return ReportResults(context, request.sweep_id(), OutputFormat::kTable,
                         connection);
  }
  const auto jobs = model.Jobs();
  *context.out << RenderLeaderboard({jobs.begin(), jobs.end()},
                                    OutWidth(context),
                                    context.out_terminal.color);
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Watch(const CliContext& context,
                               const Invocation& invocation,
                               const WatchOptions& options) {
  v1::WatchRequest request;
  request.set_interval_ms(options.interval_ms);
  if (options.target.has_value()) {
    const absl::Status status = SetTarget(*options.target, &request);
    if (!status.ok()) return status;
  }
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const bool json = options.format == OutputFormat::kJson;
  const std::unique_ptr<WatchSink> sink =
      json ? MakeJsonSink(context) : MakeProgressSink(context);
  const auto model =
      FollowJobs(context, request, connection->get(), sink.get());
  if (!model.ok()) return model.status();
  if (!json) {
    const absl::Status status =
        Report(context, request, *model, connection->get());
    if (!status.ok()) return status;
  }
  return model->AnyUnsuccessful() ? ExitCode::kFailed : ExitCode::kOk;
}

}  // namespace

void AddWatch(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<WatchOptions>();
  Verb verb(
      app, "watch",
      "Show progress until the job, or all jobs of the sweep, have ended; "
      "without either, of all jobs for ever",
      "hydra watch s3", invocation,
      [invocation, options](const CliContext& context) {
        return Watch(context, *invocation, *options);
      });
  verb.OptionalArgument("SWEEP|JOB", &options->target, "What to watch")
      .Option("--interval-ms", "MS", 20, 60000, &options->interval_ms,
              "The shortest time between two updates (default 200)")
      .OutputOption(&options->format, /*has_ids=*/false);
}

}  // namespace hydra
