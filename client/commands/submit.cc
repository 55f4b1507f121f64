#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/commands/commands.h"
#include "client/commands/submit_report.h"
#include "client/commands/submit_request.h"
#include "client/commands/verb.h"

namespace hydra {
namespace {

struct SubmitOptions {
  std::string file;
  // Unset: the file's.
  std::optional<std::string> project;
  SubmitReport report;
};

absl::StatusOr<ExitCode> Submit(const CliContext& context,
                                const Invocation& invocation,
                                const SubmitOptions& options) {
  auto file = LoadSubmitRequest(context, options.file);
  if (!file.ok()) return file.status();
  if (options.project.has_value()) {
    file->request.mutable_job()->set_project(*options.project);
  }
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return NotAsked(*file, connection.status());
  return SubmitAndReport(context, *std::move(file), options.report,
                         connection->get());
}

}  // namespace

void AddSubmit(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<SubmitOptions>();
  Verb verb(app, "submit", "Queue the jobs of a job file",
            "hydra submit sweep.yaml --watch", invocation,
            [invocation, options](const CliContext& context) {
              return Submit(context, *invocation, *options);
            });
  verb.Argument("FILE", &options->file, "The job file; - is standard input")
      .Flag("--watch", &options->report.watch,
            "Watch the jobs until they end; then results")
      .FlagWithout("--watch", "--validate-only", &options->report.validate_only,
                   "Check the file, but queue nothing")
      .Option("--project", "GROUP", &options->project,
              "A group of yours whose members may read and pause the jobs")
      .OutputOption(&options->report.format);
}

}  // namespace hydra
