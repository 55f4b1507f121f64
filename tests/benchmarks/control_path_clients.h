#ifndef HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_CLIENTS_H_
#define HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_CLIENTS_H_

#include "tests/benchmarks/control_path_run.h"

namespace hydra {

// Those that talk with the control path's daemon, each in a process of its own.

// Waits until watches are open, measures the raw stream, and then runs tasks
// that do nothing until the daemon says stop.
void RunControlWorker(const ControlRun& run, ControlFigures* figures);

// As many open `hydra watch`, with a connection each, until the daemon ends
// them. It takes what processors others leave: what is measured is the daemon's
// part, and clients are on other machines, or on other processors.
void RunControlWatchers(const ControlRun& run, ControlFigures* figures);

}  // namespace hydra

#endif  // HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_CLIENTS_H_
