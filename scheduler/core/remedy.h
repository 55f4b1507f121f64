#ifndef HYDRA_SCHEDULER_CORE_REMEDY_H_
#define HYDRA_SCHEDULER_CORE_REMEDY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// A task failed: what helps? Pure.

enum class Remedy {
  // Nothing: what the job's owner gave is wrong.
  kNone,
  // Time: a disk, the network or the host failed. The same task again, later.
  kAgain,
  // The device is too small for the shard: another pilot, with more reserve.
  kCutAnew,
};
Remedy RemedyOf(hydra::worker::v1::TaskKind kind, absl::StatusCode code);

// Before the try that follows on `failures` in a row: one second, and twice as
// long each time. Requires failures >= 1.
absl::Duration PauseAfter(int failures);

// Device bytes that the next pilot leaves free, after one that left
// `reserve_bytes` beside what every pilot leaves. 0: more would not help.
int64_t NextReserve(int64_t reserve_bytes, int64_t device_bytes);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_REMEDY_H_
