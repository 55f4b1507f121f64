#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/cli.h"
#include "client/cli_context.h"
#include "client/exit_code.h"
#include "client/terminal.h"

namespace hydra {
namespace {

std::optional<std::string> ReadVariable(const char* name) {
  const char* const value = getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

Terminal TerminalAt(int fd) {
  return MakeTerminal(isatty(fd) != 0, ReadVariable, [fd] {
    winsize size = {};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0) return TerminalSize();
    return TerminalSize{size.ws_col, size.ws_row};
  });
}

// A stream that whoever started this has closed must not become the number of a
// socket. Reading and writing it fails, as it would without this.
void FillStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// The signals that interrupt a command: not those that whoever started this,
// such as nohup, wants to be ignored.
sigset_t InterruptSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  return signals;
}

// The signal that came first; 0: none.
std::atomic<int> first_signal = 0;

// The first signal tells whoever listens; one that nobody listens to, or a
// second one, ends the program as it would without this.
void ForwardSignals(const sigset_t& signals, Interrupt* interrupt) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (first_signal == 0) first_signal = signal;
    if (!interrupt->Trigger()) _exit(ExitCodeOfSignal(first_signal));
  }
}

int Main(int argc, char** argv) {
  FillStandardStreams();
  const sigset_t signals = InterruptSignals();
  // Before any other thread starts, so that none of them gets these.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // Lives as long as the process, since the thread does.
  static Interrupt* const interrupt = new Interrupt();
  std::thread([signals] { ForwardSignals(signals, interrupt); }).detach();

  CliContext context;
  context.in = &std::cin;
  context.out = &std::cout;
  context.err = &std::cerr;
  context.out_terminal = TerminalAt(STDOUT_FILENO);
  context.err_terminal = TerminalAt(STDERR_FILENO);
  context.getenv = ReadVariable;
  context.interrupt = interrupt;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const ExitCode code = RunCli(arguments, context);
  if (code == ExitCode::kInterrupted) return ExitCodeOfSignal(first_signal);
  return static_cast<int>(code);
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }
