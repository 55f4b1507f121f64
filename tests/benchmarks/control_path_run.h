#ifndef HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_RUN_H_
#define HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_RUN_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "worker/session/latency_recorder.h"

namespace hydra {

// What one run of the control path's benchmark is, which the processes of the
// run have in common.

inline constexpr char kControlSession[] = "benchmark";
inline constexpr int64_t kControlTasks = 10'000;

struct ControlRun {
  // Turns of the core are recorded as hydrad records them, or not at all.
  bool journalled = false;
  // Open streams that watch all jobs; only where it is journalled.
  int watches = 0;
  // Of gRPC: the worker service, the client service where there is one, and a
  // service that answers each message with a small one.
  std::string worker_address;
  std::string client_address;
  std::string echo_address;
};

struct ControlQuantiles {
  double median_us = 0;
  double p99_us = 0;
};

inline ControlQuantiles QuantilesOf(const LatencyRecorder& recorder) {
  return {absl::ToDoubleMicroseconds(recorder.Quantile(0.5)),
          absl::ToDoubleMicroseconds(recorder.Quantile(0.99))};
}

// Lies in memory that the processes share. Each process writes what it
// measures, and who waits for all of them reads it.
struct ControlFigures {
  // The worker's: messages of the raw stream; from a report to a new task.
  ControlQuantiles ping;
  ControlQuantiles latency;
  double tasks_per_second = 0;
  // The daemon's: from a turn's first event until all that follows from it is
  // recorded, sent and published; the processor time of the core's thread from
  // the end of one turn to the end of the next; and all of it for each task.
  ControlQuantiles turn;
  ControlQuantiles turn_cpu;
  double cpu_us_of_a_task = 0;
  // The watchers'.
  std::atomic<int64_t> watch_messages{0};
  // Each of them has got its first message; the worker begins then.
  std::atomic<bool> watches_are_open{false};
};

}  // namespace hydra

#endif  // HYDRA_TESTS_BENCHMARKS_CONTROL_PATH_RUN_H_
