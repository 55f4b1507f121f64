#ifndef HYDRA_SCHEDULER_HTTP_PROCESS_NUMBERS_H_
#define HYDRA_SCHEDULER_HTTP_PROCESS_NUMBERS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace hydra {

// What the kernel says of this process; what it does not say is 0.
struct ProcessNumbers {
  // Of all of its threads, in user and kernel mode.
  absl::Duration cpu;
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t open_files = 0;
  int64_t most_open_files = 0;
};

// Reads /proc/self, in some tens of microseconds. Thread-safe.
ProcessNumbers ReadProcessNumbers();

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_PROCESS_NUMBERS_H_
