#ifndef HYDRA_CLIENT_CLI_CONTEXT_H_
#define HYDRA_CLIENT_CLI_CONTEXT_H_

#include <functional>
#include <istream>
#include <ostream>

#include "client/connection/address.h"
#include "client/connection/interrupt.h"
#include "client/connection/reconnector.h"
#include "client/render/progress.h"

namespace hydra {

// What one of the output streams is connected to.
struct Terminal {
  // False: a file or a pipe; then lines have no limit and no colour.
  bool present = false;
  bool color = false;
  // Asked anew for each frame, since windows change their size.
  std::function<TerminalSize()> size = [] { return TerminalSize(); };
};

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
