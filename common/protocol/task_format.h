#ifndef HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_
#define HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_

#include <cstdint>

namespace hydra {

// WorkerReport.task_format: what a worker's tasks may ask for. It may be of an
// earlier version, since it outlives its daemon.
//
// To go on with the sums of a step's earlier rounds.
inline constexpr uint32_t kTaskFormatOfRounds = 1;
// To train by a schedule, not to decay all parameters, to read JSON Lines.
inline constexpr uint32_t kTaskFormatOfSchedules = 2;
// Of this version's workers.
inline constexpr uint32_t kTaskFormat = kTaskFormatOfSchedules;

}  // namespace hydra

#endif  // HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_
