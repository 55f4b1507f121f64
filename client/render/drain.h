#ifndef HYDRA_CLIENT_RENDER_DRAIN_H_
#define HYDRA_CLIENT_RENDER_DRAIN_H_

#include <string>

#include "hydra/v1/hydra.pb.h"

namespace hydra {

// What is drained now, a line each: the server in maintenance, then devices
// with what they still compute. Pure.
std::string RenderDrained(const v1::DrainResponse& response);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_DRAIN_H_
