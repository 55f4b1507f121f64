#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "client/commands/commands.h"
#include "client/commands/log_cursor.h"
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

// Prints what the cursor has not seen yet. `is_again`: this message begins a
// stream that goes on where another one broke off.
absl::Status Print(const CliContext& context, OutputFormat format,
                   v1::StreamLogsResponse response, bool is_again,
                   LogCursor* cursor) {
  v1::StreamLogsResponse fresh;
  fresh.set_dropped_lines(response.dropped_lines());
  for (v1::LogLine& line : *response.mutable_lines()) {
    if (cursor->Advance(line)) fresh.add_lines()->Swap(&line);
  }
  if (is_again && cursor->overlaps()) {
    // They stood before lines that were shown.
    fresh.clear_dropped_lines();
  } else if (is_again) {
    *context.err
        << "hydra: lines from before and while the server was away may "
           "be missing here\n";
  }
  if (format == OutputFormat::kJson) {
    if (!fresh.lines().empty() || fresh.dropped_lines() > 0) {
      *context.out << JsonLine(fresh);
    }
  } else {
    if (fresh.dropped_lines() > 0) {
      *context.err << "hydra: " << fresh.dropped_lines()
                   << " line(s) were lost\n";
    }
    for (const v1::LogLine& line : fresh.lines()) {
      *context.out << LogText(line, absl::LocalTimeZone()) << "\n";
    }
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
  LogCursor cursor;
  Reconnector reconnector(
      context.reconnect, context.interrupt, [&](const std::string& text) {
        *context.err << "hydra: " << Printable(text) << "\n";
      });
  while (true) {
    bool is_again = cursor.started();
    if (is_again) cursor.Restart();
    const absl::Status status =
        (*connection)
            ->StreamLogs(request, context.interrupt,
                         [&](const v1::StreamLogsResponse& response) {
                           reconnector.Connected();
                           return Print(context, options.format, response,
                                        std::exchange(is_again, false),
                                        &cursor);
                         });
    if (status.ok()) return ExitCode::kOk;
    if (!options.follow) return status;
    const absl::Status retry = reconnector.WaitToRetry(status);
    if (!retry.ok()) return retry;
    (*connection)
        ->AwaitServer(context.reconnect.connect_patience, context.interrupt);
    // Lines that came while the server was away are beyond any tail.
    if (cursor.started()) request.set_tail(0);
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
