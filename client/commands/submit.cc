#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/submit_request.h"
#include "client/commands/submit_warnings.h"
#include "client/commands/verb.h"
#include "client/commands/watch_report.h"
#include "client/render/lists.h"

namespace hydra {
namespace {

struct SubmitOptions {
  std::string file;
  // Unset: the file's.
  std::optional<std::string> project;
  bool watch = false;
  bool validate_only = false;
  OutputFormat format = OutputFormat::kTable;
};

// `room`: of the pool, for jobs that were only checked.
void Print(const CliContext& context, const v1::SubmitResponse& response,
           OutputFormat format, const std::string& room) {
  PrintReply(
      context, format, response,
      [&] {
        return RenderSubmitted(response, OutWidth(context),
                               context.out_terminal.color) +
               room;
      },
      [&] {
        std::vector<std::string> ids;
        if (response.sweep_id().empty()) return ids;
        ids = IdsOf(response.jobs());
        ids.insert(ids.begin(), response.sweep_id());
        return ids;
      });
  context.out->flush();
}

absl::StatusOr<ExitCode> Submit(const CliContext& context,
                                const Invocation& invocation,
                                const SubmitOptions& options) {
  auto file = LoadSubmitRequest(context, options.file);
  if (!file.ok()) return file.status();
  file->request.set_validate_only(options.validate_only);
  if (options.project.has_value()) {
    file->request.mutable_job()->set_project(*options.project);
  }
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return NotAsked(*file, connection.status());
  const auto response = hydra::Submit(*file, connection->get());
  if (!response.ok()) return response.status();
  std::string room;
  if (options.validate_only && options.format == OutputFormat::kTable) {
    const auto server =
        (*connection)->GetServerInfo(v1::GetServerInfoRequest());
    // The file is valid all the same.
    if (server.ok()) room = RenderRoom(*response, *server);
  }
  Print(context, *response, options.format, room);
  PrintWarnings(context, response->warnings());
  if (!options.watch) return ExitCode::kOk;
  *context.err << "hydra: Ctrl-C ends watching; the jobs go on\n";
  return WatchSweepAndReport(context, response->sweep_id(), options.format,
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
      .Flag("--watch", &options->watch,
            "Watch the jobs until they end; then results")
      .FlagWithout("--watch", "--validate-only", &options->validate_only,
                   "Check the file, but queue nothing")
      .Option("--project", "GROUP", &options->project,
              "A group of yours whose members may read and pause the jobs")
      .OutputOption(&options->format);
}

}  // namespace hydra
