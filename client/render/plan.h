#ifndef HYDRA_CLIENT_RENDER_PLAN_H_
#define HYDRA_CLIENT_RENDER_PLAN_H_

#include <string>

#include "hydra/v1/hydra.pb.h"

namespace hydra {

// What `hydra plan` shows: for each job a line on the model, and a table with a
// row for each device. Jobs whose plans are the same are shown once. Pure;
// `width` 0 means no limit.
std::string RenderPlan(const v1::PlanResponse& response, int width, bool color);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_PLAN_H_
