#ifndef HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_DAEMON_H_
#define HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_DAEMON_H_

#include <sys/types.h>

#include "tests/benchmarks/control_path_run.h"

namespace hydra {

// hydrad as far as the control path goes: the core with jobs that never end,
// its thread, journals, read model, worker service and client service. Serves
// until the worker, this process's child, has run its tasks and ended; then the
// streams of watchers end.
void RunControlDaemon(const ControlRun& run, pid_t worker,
                      ControlFigures* figures);

}  // namespace hydra

#endif  // HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_DAEMON_H_
