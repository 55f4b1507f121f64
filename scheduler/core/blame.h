#ifndef HYDRA_SCHEDULER_CORE_BLAME_H_
#define HYDRA_SCHEDULER_CORE_BLAME_H_

#include <vector>

#include "absl/time/time.h"
#include "common/ids/ids.h"

namespace hydra {

// A worker's process died in the middle of a task: was it the job, or the
// device? Pure.

// Whether the device is to blame. `deaths`: the jobs whose tasks ended its
// process since it last finished one, this one last. `crashes_of_job`: how
// often that job did so, on any device, since it last got on. So it is to blame
// when it died of two jobs, or again of one that got on elsewhere.
bool IsDeviceToBlame(const std::vector<JobId>& deaths, int crashes_of_job);

// How long a device gets no task: doubles with each time in a row, up to an
// hour. Requires times >= 1.
absl::Duration QuarantineTime(absl::Duration first, int times);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_BLAME_H_
