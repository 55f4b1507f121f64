#ifndef HYDRA_SCHEDULER_HTTP_RECENT_TRACE_H_
#define HYDRA_SCHEDULER_HTTP_RECENT_TRACE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/runtime/trace_log.h"

namespace hydra {

// The tasks of `log` that ended after `since`, of all jobs, in the order in
// which the daemon learned of them; the newest `most` if there are more. Of a
// task whose job is not `visible`, when it ran and where, and nothing else; and
// of its PREPARE, which takes no device, nothing.
// `devices`: names, worker 1's first. Pure; `visible` is asked once for a job.
hydra::v1::TraceResponse RecentTrace(const TraceLog& log,
                                     const std::vector<std::string>& devices,
                                     absl::Time since, size_t most,
                                     absl::FunctionRef<bool(JobId)> visible);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_RECENT_TRACE_H_
