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
#include "scheduler/service/access.h"

namespace hydra {

// The tasks of `log` that ended after `since`, of all jobs, in the order in
// which the daemon learned of them; the newest `most` if there are more. A task
// whose job may not be read is withheld (see TracedTask); of its PREPARE, which
// takes no device, nothing is told.
// `devices`: names, worker 1's first. `may_read`: asked once for a job. Pure.
hydra::v1::TraceResponse RecentTrace(const TraceLog& log,
                                     const std::vector<std::string>& devices,
                                     absl::Time since, size_t most,
                                     absl::FunctionRef<Answer(JobId)> may_read);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_RECENT_TRACE_H_
