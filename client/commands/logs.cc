#include <limits>
#include <memory>
#include <string>

#include "client/commands/commands.h"
#include "client/commands/log_text.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/connection/reconnector.h"
#include "client/output.h"
#include "client/render/format.h"
#include "client/render/json.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

struct LogsOptions {
  std::string job;
  bool follow = false;
  int tail = 0;
  OutputFormat format = OutputFormat::kTable;
};

absl::Status Print(const CliContext& context, OutputFormat format,
                   const v1::StreamLogsResponse& response) {
  if (format == OutputFormat::kJson) {
    *context.out << JsonLine(response);
    return FlushOutput(context);
  }
  if (response.dropped_lines() > 0) {
    *context.err << "hydra: " << response.dropped_lines()
                 << " line(s) were lost\n";
  }
  for (const v1::LogLine& line : response.lines()) {
    *context.out << LogText(line, absl::LocalTimeZone()) << "\n";
  }
  return FlushOutput(context);
}

absl::StatusOr<ExitCode> Logs(const CliContext& context,
                              const Invocation& invocation,
                              const LogsOptions& options) {
  if (absl::Status status = WantJob(options.job); !status.ok()) return status;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  v1::StreamLogsRequest request;
  request.set_job_id(options.job);
  request.set_follow(options.follow);
  request.set_tail(options.tail);
  Reconnector reconnector(
      context.reconnect, context.interrupt, [&](const std::string& text) {
        *context.err << "hydra: " << Printable(text) << "\n";
      });
  int64_t newest = 0;
  while (true) {
    // A stream that broke off goes on behind what was shown.
    request.set_after(newest);
    const absl::Status status =
        (*connection)
            ->StreamLogs(request, context.interrupt,
                         [&](const v1::StreamLogsResponse& response) {
                           reconnector.Connected();
                           if (!response.lines().empty()) {
                             newest = response.lines().rbegin()->sequence();
                           }
                           return Print(context, options.format, response);
                         });
    if (status.ok()) return ExitCode::kOk;
    if (!options.follow) return status;
    const absl::Status retry = reconnector.WaitToRetry(status);
    if (!retry.ok()) return retry;
    (*connection)
        ->AwaitServer(context.reconnect.connect_patience, context.interrupt);
  }
}

}  // namespace

void AddLogs(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<LogsOptions>();
  Verb verb(app, "logs", "Print a job's log, oldest line first",
            "hydra logs j12 -f --tail 20", invocation,
            [invocation, options](const CliContext& context) {
              return Logs(context, *invocation, *options);
            });
  verb.Argument("JOB", &options->job, "The job's id")
      .Flag("-f,--follow", &options->follow,
            "Go on with new lines until the job has ended")
      .Option("--tail", "N", 0, std::numeric_limits<int>::max(), &options->tail,
              "Begin with the newest N lines (default: all)")
      .OutputOption(&options->format, /*has_ids=*/false);
}

}  // namespace hydra
