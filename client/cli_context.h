#ifndef HYDRA_CLIENT_CLI_CONTEXT_H_
#define HYDRA_CLIENT_CLI_CONTEXT_H_

#include <istream>
#include <ostream>

#include "client/connection/address.h"
#include "client/connection/interrupt.h"
#include "client/connection/reconnector.h"
#include "client/terminal.h"

namespace hydra {

// The world around a command. Nothing is owned; all of it outlives the command.
struct CliContext {
  std::istream* in = nullptr;
  // Results alone.
  std::ostream* out = nullptr;
  // Progress and messages.
  std::ostream* err = nullptr;
  Terminal out_terminal;
  Terminal err_terminal;
  GetEnv getenv;
  Interrupt* interrupt = nullptr;
  ReconnectPolicy reconnect;
  // Watching ends with an error where no worker can start: nobody mends that.
  bool needs_workers = false;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_CLI_CONTEXT_H_
