#ifndef HYDRA_CLIENT_EXIT_CODE_H_
#define HYDRA_CLIENT_EXIT_CODE_H_

#include "absl/status/status.h"

namespace hydra {

// What `hydra` ends with; docs/cli.md explains them to users.
enum class ExitCode {
  kOk = 0,
  // A watched job failed or was cancelled, or anything without a code below.
  kFailed = 1,
  kInvalid = 2,
  kNotFound = 3,
  kPermission = 4,
  kUnavailable = 5,
  kExhausted = 6,
  kTimeout = 7,
  // By Ctrl-C; ExitCodeOfSignal() tells signals apart.
  kInterrupted = 130,
};

ExitCode ExitCodeFor(const absl::Status& status);

// What a shell shows for a program that `signal` ended: 130 for SIGINT.
int ExitCodeOfSignal(int signal);

}  // namespace hydra

#endif  // HYDRA_CLIENT_EXIT_CODE_H_
