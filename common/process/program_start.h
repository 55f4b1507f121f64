#ifndef HYDRA_COMMON_PROCESS_PROGRAM_START_H_
#define HYDRA_COMMON_PROCESS_PROGRAM_START_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hydra {

// A program that hydrad starts.
struct ProgramStart {
  // The first is the program's path.
  std::vector<std::string> arguments;
  // "NAME=value": all of it.
  std::vector<std::string> environment;
  // What becomes its standard error, and its output too if `has_own_streams`.
  // -1: this process's.
  int error_fd = -1;
  // Its standard input is empty, and it writes nothing where this process does.
  bool has_own_streams = false;
};

// Starts it in a process group of its own, with no signal blocked and no file
// open but its standard streams. Whoever calls waits for its end.
absl::StatusOr<pid_t> StartProgram(const ProgramStart& program);

// For people, of what waitpid says of a process that is gone: "ended with code
// 1", or "killed by signal 9 (Killed)".
std::string HowItEnded(int wait_status);

}  // namespace hydra

#endif  // HYDRA_COMMON_PROCESS_PROGRAM_START_H_
