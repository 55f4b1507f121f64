#ifndef HYDRA_CLIENT_RENDER_AUDIT_H_
#define HYDRA_CLIENT_RENDER_AUDIT_H_

#include <string>

#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// The table of `hydra audit`. Pure; `width` 0 means no limit.
std::string RenderAudit(const v1::ListAuditResponse& response, int width,
                        bool color, absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_AUDIT_H_
