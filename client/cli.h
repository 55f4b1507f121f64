#ifndef HYDRA_CLIENT_CLI_H_
#define HYDRA_CLIENT_CLI_H_

#include <string>
#include <vector>

#include "client/cli_context.h"
#include "client/exit_code.h"

namespace hydra {

// Runs `hydra` with these arguments (without the program's name): parses them,
// does what they say, writes what went wrong to `context.err`.
ExitCode RunCli(const std::vector<std::string>& arguments,
                const CliContext& context);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CLI_H_
