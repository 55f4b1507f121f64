#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/cli.h"
#include "client/cli_context.h"
#include "client/exit_code.h"

namespace hydra {
namespace {

std::optional<std::string> ReadVariable(const char* name) {
  const char* const value = getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

Terminal MakeTerminal(int fd) {
  Terminal terminal;
  terminal.present = isatty(fd) != 0;
  if (!terminal.present) return terminal;
  const auto no_color = ReadVariable("NO_COLOR");
  terminal.color = !no_color.has_value() || no_color->empty();
  terminal.size = [fd] {
    winsize size = {};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0) return TerminalSize();
    return TerminalSize{size.ws_col, size.ws_row};
  };
  return terminal;
}

// The first signal tells whoever listens; one that nobody listens to, or a
// second one, ends the program as it would without this.
void ForwardSignals(const sigset_t& signals, Interrupt* interrupt) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (!interrupt->Trigger()) _exit(static_cast<int>(ExitCode::kInterrupted));
  }
}

int Main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  // Before any other thread starts, so that none of them gets these.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // Lives as long as the process, since the thread does.
  static Interrupt* const interrupt = new Interrupt();
  std::thread([signals] { ForwardSignals(signals, interrupt); }).detach();

  CliContext context;
  context.in = &std::cin;
  context.out = &std::cout;
  context.err = &std::cerr;
  context.out_terminal = MakeTerminal(STDOUT_FILENO);
  context.err_terminal = MakeTerminal(STDERR_FILENO);
  context.getenv = ReadVariable;
  context.interrupt = interrupt;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return static_cast<int>(RunCli(arguments, context));
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }
