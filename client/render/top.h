#ifndef HYDRA_CLIENT_RENDER_TOP_H_
#define HYDRA_CLIENT_RENDER_TOP_H_

#include <string>
#include <vector>

#include "client/render/terminal_size.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// What a server does now: how many devices compute and jobs wait, the devices,
// the users who have jobs, with the devices that compute theirs, and the jobs
// that run. `jobs`: those that have not ended. At most `size.height` - 1 lines,
// none wider than `size.width`; users beyond a third of them, and running jobs
// that find no room, are counted. Pure.
std::vector<std::string> RenderTop(const v1::ListWorkersResponse& workers,
                                   const v1::ListJobsResponse& jobs,
                                   TerminalSize size, bool color);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_TOP_H_
