#ifndef HYDRA_CLIENT_RENDER_METRICS_CSV_H_
#define HYDRA_CLIENT_RENDER_METRICS_CSV_H_

#include <string>

#include "hydra/v1/hydra.pb.h"

namespace hydra {

// A job's metrics as CSV (RFC 4180, but lines end with \n alone): a row for
// each step and each evaluation, what was measured before a step before it.
// Numbers have all digits that tell them from others; what is not there is
// empty.
inline constexpr char kMetricsCsvHead[] =
    "split,step,loss,perplexity,accuracy,tokens,grad_norm,time,"
    "device_seconds\n";
std::string MetricsCsv(const v1::ListMetricsResponse& page);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_METRICS_CSV_H_
