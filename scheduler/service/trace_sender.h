#ifndef HYDRA_SCHEDULER_SERVICE_TRACE_SENDER_H_
#define HYDRA_SCHEDULER_SERVICE_TRACE_SENDER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/runtime/trace_log.h"
#include "scheduler/service/access.h"

namespace hydra {

// What a trace is of.
struct TraceTarget {
  std::vector<hydra::v1::JobStatus> jobs;
  // The devices' names, worker 1's first.
  std::vector<std::string> devices;
  // What whoever gets it may know of another job.
  std::function<Answer(JobId)> others;
};

// Gives `send` what `log` has of the target's jobs, and of the others' tasks on
// the devices from the first of their tasks to the last, as much of these as
// may be known, in messages of some hundred tasks each, until it returns false.
// The first message alone has what is not a task or a decision.
//
// CANCELLED: `send` returned false.
absl::Status SendTrace(
    const TraceLog& log, const TraceTarget& target,
    absl::FunctionRef<bool(const hydra::v1::TraceResponse&)> send);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_TRACE_SENDER_H_
