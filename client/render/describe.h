#ifndef HYDRA_CLIENT_RENDER_DESCRIBE_H_
#define HYDRA_CLIENT_RENDER_DESCRIBE_H_

#include <string>

#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// All that is known of a job, as text in sections: status, warnings,
// specification, partition, pool demand, totals, what a step moves,
// evaluations, checkpoints. Pure; `width` 0 means no limit.
std::string RenderJobDetail(const v1::JobDetail& job, int width, bool color,
                            absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_DESCRIBE_H_
