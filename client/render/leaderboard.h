#ifndef HYDRA_CLIENT_RENDER_LEADERBOARD_H_
#define HYDRA_CLIENT_RENDER_LEADERBOARD_H_

#include <string>

#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// A sweep's results as a table, in the order of `jobs`, which is best first.
// Jobs that were never measured have no rank. `width` 0 means no limit.
std::string RenderLeaderboard(
    const google::protobuf::RepeatedPtrField<v1::JobStatus>& jobs, int width,
    bool color);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_LEADERBOARD_H_
