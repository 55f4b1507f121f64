#ifndef HYDRA_CLIENT_COMMANDS_WATCH_REPORT_H_
#define HYDRA_CLIENT_COMMANDS_WATCH_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "client/commands/command.h"
#include "client/connection/connection.h"
#include "client/exit_code.h"

namespace hydra {

// Shows the progress of a sweep's jobs until all have ended, then writes the
// results to `context.out`: the leaderboard or its JSON, nothing for kId.
// kFailed when a job failed or was cancelled.
absl::StatusOr<ExitCode> WatchSweepAndReport(const CliContext& context,
                                             const std::string& sweep_id,
                                             OutputFormat format,
                                             Connection* connection);

// Writes a sweep's results to `context.out`, best first.
absl::Status ReportResults(const CliContext& context,
                           const std::string& sweep_id, OutputFormat format,
                           Connection* connection);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_WATCH_REPORT_H_
