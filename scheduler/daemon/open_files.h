#ifndef HYDRA_SCHEDULER_DAEMON_OPEN_FILES_H_
#define HYDRA_SCHEDULER_DAEMON_OPEN_FILES_H_

#include <cstdint>

namespace hydra {

// Lets this process open as many files as it may, up to what a daemon can use:
// for as many connections as may be. Returns how many these are. Workers
// inherit it, which does no harm.
int64_t RaiseOpenFiles();

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_OPEN_FILES_H_
