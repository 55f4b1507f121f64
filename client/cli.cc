#include "client/cli.h"

#include "CLI/CLI.hpp"
#include "client/commands/command.h"
#include "client/commands/commands.h"
#include "client/render/format.h"
#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

constexpr char kFooter[] = R"(
Exit codes:
    0  done
    1  a watched job failed or was cancelled, or something else went wrong
    2  wrong usage, or the job file is not valid
    3  no such job or sweep, or no such program
    4  not allowed
    5  the server cannot be reached
    6  it does not fit the server
    7  the server did not answer in time
  130  interrupted

Environment:
  HYDRA_SERVER  the server's address, where --server is not given
  HYDRAD        hydrad's program, for hydra run
  NO_COLOR      if set, no colours

Example:
  hydra submit sweep.yaml --watch)";

void AddVerbs(CLI::App* app, Invocation* invocation) {
  AddSubmit(app, invocation);
  AddRun(app, invocation);
  AddWatch(app, invocation);
  AddList(app, invocation);
  AddDescribe(app, invocation);
  AddLogs(app, invocation);
  AddResults(app, invocation);
  AddDownload(app, invocation);
  AddTargetVerbs(app, invocation);
  AddServerVerbs(app, invocation);
}

void SetUp(CLI::App* app, Invocation* invocation) {
  app->require_subcommand(1);
  app->footer(kFooter);
  app->add_option("--server", invocation->server,
                  "unix:/path or host:port (default: $HYDRA_SERVER, else the "
                  "first of the usual sockets)")
      ->option_text("ADDRESS");
  app->add_option("--timeout", invocation->timeout_seconds,
                  "Longest wait for an answer, in seconds (default 60)")
      ->option_text("SECONDS")
      ->check(CLI::PositiveNumber);
  AddVerbs(app, invocation);
}

void PrintError(const CliContext& context, const absl::Status& status) {
  *context.err << "hydra: ";
  // So that each mistake has a line of its own.
  if (!MistakesOf(status).empty()) {
    *context.err << "the job file is not valid\n";
  }
  *context.err << EscapeControlKeepLines(status.message()) << std::endl;
}

ExitCode Perform(const Invocation& invocation, const CliContext& context) {
  const absl::StatusOr<ExitCode> result = invocation.action(context);
  context.out->flush();
  if (context.interrupt->triggered()) return ExitCode::kInterrupted;
  if (!result.ok()) {
    PrintError(context, result.status());
    return ExitCodeFor(result.status());
  }
  if (!*context.out) {
    *context.err << "hydra: cannot write the result" << std::endl;
    return ExitCode::kFailed;
  }
  return *result;
}

}  // namespace

ExitCode RunCli(const std::vector<std::string>& arguments,
                const CliContext& context) {
  CLI::App app("Trains many models, each larger than a device, together.",
               "hydra");
  Invocation invocation;
  SetUp(&app, &invocation);
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, *context.out, *context.err);
    return code == 0 ? ExitCode::kOk : ExitCode::kInvalid;
  }
  return Perform(invocation, context);
}

}  // namespace hydra
