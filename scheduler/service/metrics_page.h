#ifndef HYDRA_SCHEDULER_SERVICE_METRICS_PAGE_H_
#define HYDRA_SCHEDULER_SERVICE_METRICS_PAGE_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/service/client_request.h"

namespace hydra {

// Fills a page of a job's metrics. `known`: its status, all of its evaluations,
// and the newest of its steps, which follow each other; `older` reads the steps
// from one on and before another, of those before these. Pure but for `older`,
// whose error is the only one.
using OlderSteps = absl::FunctionRef<
    absl::StatusOr<google::protobuf::RepeatedPtrField<v1::StepMetrics>>(
        int64_t first, int64_t end)>;
absl::Status FillMetrics(const MetricsPage& page, v1::JobDetail known,
                         OlderSteps older, v1::ListMetricsResponse* response);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_METRICS_PAGE_H_
