#include "client/cli.h"

#include <cstddef>
#include <optional>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/command.h"
#include "client/commands/commands.h"
#include "client/output.h"
#include "client/render/format.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/suggest.h"
#include "common/text/printable.h"
#include "common/version/version.h"

namespace hydra {
namespace {

constexpr char kFooter[] = R"(
Exit codes:
    0  done
    1  a watched job failed or was cancelled, or something else went wrong;
       import: the job would train another model than the file says
    2  wrong usage, or the job file is not valid
    3  no such job or sweep, or no such program
    4  not allowed
    5  the server cannot be reached
    6  it does not fit the server
    7  the server did not answer in time; wait: the jobs have not ended in time
  129, 130, 143  interrupted by SIGHUP, Ctrl-C, SIGTERM

Environment:
  HYDRA_SERVER  the server's address, where --server is not given
  HYDRAD        hydrad's program, for hydra run
  NO_COLOR      if set, no colours

Example:
  hydra submit sweep.yaml --watch)";

void AddVerbs(CLI::App* app, Invocation* invocation) {
  AddSubmit(app, invocation);
  AddClone(app, invocation);
  AddPlan(app, invocation);
  AddRun(app, invocation);
  AddWatch(app, invocation);
  AddWait(app, invocation);
  AddTop(app, invocation);
  AddList(app, invocation);
  AddDescribe(app, invocation);
  AddLogs(app, invocation);
  AddMetrics(app, invocation);
  AddResults(app, invocation);
  AddDownload(app, invocation);
  AddTrace(app, invocation);
  AddTargetVerbs(app, invocation);
  AddAudit(app, invocation);
  AddDrain(app, invocation);
  AddImport(app, invocation);
  AddUi(app, invocation);
  AddServerVerbs(app, invocation);
  AddDoctor(app, invocation);
  AddCompletion(app, invocation);
  AddMan(app, invocation);
  AddProxy(app, invocation);
}

std::string NotAboveZero(const std::string& text) {
  double seconds;
  if (absl::SimpleAtod(text, &seconds) && seconds > 0) return "";
  return absl::StrCat("expected a number of seconds above 0, found ",
                      Quoted(text));
}

std::string NotEmpty(const std::string& text) {
  return text.empty() ? "expected an address, found ''" : "";
}

void SetUp(CLI::App* app, Invocation* invocation) {
  app->require_subcommand(1);
  app->set_version_flag("--version", absl::StrCat("hydra ", kVersion),
                        "Print this program's version and exit");
  app->failure_message([](const CLI::App*, const CLI::Error& error) {
    return absl::StrCat("hydra: ", PrintableLines(error.what()),
                        "\nhydra --help, or hydra COMMAND --help, says more\n");
  });
  app->footer(kFooter);
  app->add_option("--server", invocation->server,
                  "unix:/path, ssh://[user@]host[:port][/path] or host:port "
                  "(default: $HYDRA_SERVER, else the first of the usual "
                  "sockets)")
      ->option_text("ADDRESS")
      ->check(NotEmpty);
  app->add_option("--timeout", invocation->timeout_seconds,
                  "Longest wait for an answer, in seconds (default 60); of "
                  "hydra wait, for the jobs (default: for ever)")
      ->option_text("SECONDS")
      ->check(NotAboveZero);
  AddVerbs(app, invocation);
}

void PrintError(const CliContext& context, const absl::Status& status) {
  *context.err << "hydra: ";
  // So that each mistake has a line of its own.
  if (!MistakesOf(status).empty()) {
    *context.err << "the job file is not valid\n";
  }
  *context.err << PrintableLines(status.message()) << std::endl;
}

ExitCode Perform(const Invocation& invocation, const CliContext& context) {
  const absl::StatusOr<ExitCode> result = invocation.action(context);
  const absl::Status written = FlushOutput(context);
  if (context.interrupt->triggered()) return ExitCode::kInterrupted;
  if (!result.ok()) {
    PrintError(context, result.status());
    return ExitCodeFor(result.status());
  }
  if (!written.ok()) {
    PrintError(context, written);
    return ExitCodeFor(written);
  }
  return *result;
}

// Without those that the help does not list.
std::vector<std::string> ShownVerbs(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (!verb->get_group().empty()) names.push_back(verb->get_name());
  }
  return names;
}

bool HasVerb(const CLI::App& app, const std::string& name) {
  return absl::c_any_of(
      app.get_subcommands(nullptr),
      [&name](const CLI::App* verb) { return verb->get_name() == name; });
}

// The word where the name of a command belongs, if it is none.
std::optional<std::string> UnknownVerb(
    const CLI::App& app, const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--server" || word == "--timeout") {
      ++i;
    } else if (!absl::StartsWith(word, "-")) {
      if (HasVerb(app, word)) return std::nullopt;
      return word;
    }
  }
  return std::nullopt;
}

ExitCode RefuseVerb(const std::string& word,
                    const std::vector<std::string>& names,
                    const CliContext& context) {
  const std::string meant = SuggestWord(word, names, {});
  *context.err << "hydra: there is no command " << Quoted(word);
  if (meant.empty()) {
    *context.err << "; the commands are " << absl::StrJoin(names, ", ") << "\n";
  } else {
    *context.err << "; did you mean " << Quoted(meant) << "?\n";
  }
  return ExitCode::kInvalid;
}

}  // namespace

ExitCode RunCli(const std::vector<std::string>& arguments,
                const CliContext& context) {
  CLI::App app("Trains many models, each larger than a device, together.",
               "hydra");
  Invocation invocation;
  SetUp(&app, &invocation);
  if (arguments.empty()) {
    *context.err << app.help();
    return ExitCode::kInvalid;
  }
  const auto unknown = UnknownVerb(app, arguments);
  if (unknown.has_value()) {
    return RefuseVerb(*unknown, ShownVerbs(app), context);
  }
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, *context.out, *context.err);
    if (code != 0) return ExitCode::kInvalid;
    const absl::Status written = FlushOutput(context);
    if (!written.ok()) PrintError(context, written);
    return ExitCodeFor(written);
  }
  return Perform(invocation, context);
}

}  // namespace hydra
