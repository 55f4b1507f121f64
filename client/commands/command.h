#ifndef HYDRA_CLIENT_COMMANDS_COMMAND_H_
#define HYDRA_CLIENT_COMMANDS_COMMAND_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
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
  // Unset: AnswerTimeout() of an answer, and no end to waiting for jobs.
  std::optional<double> timeout_seconds;
  // The chosen verb's.
  Action action;
};

// Longest wait for an answer of the server.
absl::Duration AnswerTimeout(const Invocation& invocation);

// How a command writes its result.
enum class OutputFormat { kTable, kJson, kId };

// Where the server is (ResolveServer).
absl::StatusOr<std::string> ServerAddress(const CliContext& context,
                                          const Invocation& invocation);

// Finds the server, and prepares to call it.
absl::StatusOr<std::unique_ptr<Connection>> Connect(
    const CliContext& context, const Invocation& invocation);

// The width of `context.out`, 0 when it is no terminal.
int OutWidth(const CliContext& context);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_COMMAND_H_
