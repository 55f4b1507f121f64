#ifndef HYDRA_CLIENT_COMMANDS_SUBMIT_REPORT_H_
#define HYDRA_CLIENT_COMMANDS_SUBMIT_REPORT_H_

#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "client/commands/command.h"
#include "client/commands/submit_request.h"
#include "client/connection/connection.h"
#include "client/exit_code.h"

namespace hydra {

// How jobs are submitted, and what is told of it. Not both of the first two.
struct SubmitReport {
  // Go on until the jobs have ended.
  bool watch = false;
  // Check, and queue nothing.
  bool validate_only = false;
  OutputFormat format = OutputFormat::kTable;
};

// Submits it, writes what is queued, or would be, to `context.out`, and
// warnings to `context.err`. With `watch` as WatchSweepAndReport from there on.
//
// Errors: Submit's.
absl::StatusOr<ExitCode> SubmitAndReport(const CliContext& context,
                                         JobFileRequest file,
                                         const SubmitReport& report,
                                         Connection* connection);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SUBMIT_REPORT_H_
