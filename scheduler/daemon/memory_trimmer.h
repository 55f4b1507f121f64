#ifndef HYDRA_SCHEDULER_DAEMON_MEMORY_TRIMMER_H_
#define HYDRA_SCHEDULER_DAEMON_MEMORY_TRIMMER_H_

#include <thread>

#include "absl/time/time.h"
#include "common/clock/steady_event.h"

namespace hydra {

// Gives the process's free heap memory back to the system, now and then until
// it is destroyed. A daemon's small records of jobs live long and end in any
// order, and the C library keeps the pages between them: over months that is
// more than the records themselves.
class MemoryTrimmer {
 public:
  explicit MemoryTrimmer(absl::Duration every);
  ~MemoryTrimmer();

 private:
  SteadyEvent stopped_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_MEMORY_TRIMMER_H_
