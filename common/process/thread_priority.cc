#include "common/process/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace hydra {
namespace {

// The kernel's weights: 1024 at 0, 110 at 10.
constexpr int kStep = 10;

}  // namespace

void StepBack() {
  thread_local bool done = false;
  if (done) return;
  done = true;
  // On Linux a thread has a niceness of its own, and 0 names the caller. A
  // lower priority may always be asked for.
  (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + kStep);
}

}  // namespace hydra
