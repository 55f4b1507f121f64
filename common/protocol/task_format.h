#ifndef HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_
#define HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_

#include <cstdint>

namespace hydra {

// WorkerReport.task_format of this version's workers. A worker may be of an
// earlier version, since it outlives its daemon.
inline constexpr uint32_t kTaskFormat = 1;

}  // namespace hydra

#endif  // HYDRA_COMMON_PROTOCOL_TASK_FORMAT_H_
