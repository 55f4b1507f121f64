#ifndef HYDRA_CLIENT_RENDER_LISTS_H_
#define HYDRA_CLIENT_RENDER_LISTS_H_

#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// The tables of `hydra submit`, `list`, `workers` and `info`. Pure; `width` 0
// means no limit.

std::string RenderSubmitted(const v1::SubmitResponse& response, int width,
                            bool color);

// After a check alone, whether the jobs have room in the pool at once, as far
// as is known before pilots ran. Empty: nothing is.
std::string RenderRoom(const v1::SubmitResponse& response,
                       const v1::GetServerInfoResponse& server);

// Jobs say why they wait or failed in the last column. Those that end on the
// day of `now` say no date.
std::string RenderJobs(const v1::ListJobsResponse& response, int width,
                       bool color, absl::TimeZone zone,
                       absl::Time now = absl::Now());

std::string RenderWorkers(const v1::ListWorkersResponse& response, int width,
                          bool color);

std::string RenderServerInfo(const v1::GetServerInfoResponse& info,
                             absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_LISTS_H_
