#ifndef HYDRA_CLIENT_COMMANDS_COMMAND_H_
#define HYDRA_CLIENT_COMMANDS_COMMAND_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "client/connection/connection.h"
#include "client/exit_code.h"

namespace hydra {

// Runs one command. Results go to `context.out`; what failed is returned.
using Action =
    std::function<absl::StatusOr<ExitCode>(const CliContext& context)>;

// What parsing a command line yields.
struct Invocation {
  // For every verb.
  std::string server;
  double timeout_seconds = 60;
  // The chosen verb's.
  Action action;
};

// How a command writes its result.
enum class OutputFormat { kTable, kJson, kId };

// Adds the verb `name` to `app`, with `example` at the end of its help. When it
// is chosen, `action` becomes the invocation's. The caller adds its options.
CLI::App* AddVerb(CLI::App* app, const std::string& name,
                  const std::string& description, const std::string& example,
                  Invocation* invocation, Action action);

// Accepts these words alone, in upper case too; says which they are.
CLI::Validator OneOf(std::vector<std::string> words);

// Adds -o. Verbs without ids have no kId.
void AddOutputOption(CLI::App* verb, OutputFormat* format, bool has_ids = true);

// Finds the server, and prepares to call it.
absl::StatusOr<std::unique_ptr<Connection>> Connect(
    const CliContext& context, const Invocation& invocation);

// The width of `context.out`, 0 when it is no terminal.
int OutWidth(const CliContext& context);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_COMMAND_H_
