#ifndef HYDRA_CLIENT_RENDER_STEP_TRAFFIC_H_
#define HYDRA_CLIENT_RENDER_STEP_TRAFFIC_H_

#include <string>

#include "hydra/v1/status.pb.h"

namespace hydra {

// What a step of a job moves between host and device, by kind, beside what was
// to be expected: a table that ends with a newline. Width 0 means no limit.
// Pure. Requires traffic.steps() > 0.
std::string RenderStepTraffic(const v1::StepTraffic& traffic, int width,
                              bool color);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_STEP_TRAFFIC_H_
