#include <memory>
#include <string>

#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/commands/watch_report.h"

namespace hydra {
namespace {

struct ResultsOptions {
  std::string sweep;
  OutputFormat format = OutputFormat::kTable;
};

absl::StatusOr<ExitCode> Results(const CliContext& context,
                                 const Invocation& invocation,
                                 const ResultsOptions& options) {
  const absl::Status is_sweep = WantSweep(options.sweep);
  if (!is_sweep.ok()) return is_sweep;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const absl::Status status =
      ReportResults(context, options.sweep, options.format, connection->get());
  if (!status.ok()) return status;
  return ExitCode::kOk;
}

}  // namespace

void AddResults(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<ResultsOptions>();
  Verb verb(app, "results", "Show a sweep's jobs, best first",
            "hydra results s3 -o json", invocation,
            [invocation, options](const CliContext& context) {
              return Results(context, *invocation, *options);
            });
  verb.Argument("SWEEP", &options->sweep, "The sweep's id")
      .OutputOption(&options->format);
}

}  // namespace hydra
