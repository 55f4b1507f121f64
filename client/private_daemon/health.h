#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_HEALTH_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_HEALTH_H_

#include <memory>

#include "absl/time/time.h"

namespace grpc {
class Channel;
}

namespace hydra {

// Asks the server's standard health service (grpc.health.v1) whether it serves.
// False also when nobody answers within `timeout`.
bool IsServing(const std::shared_ptr<grpc::Channel>& channel,
               absl::Duration timeout);

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_HEALTH_H_
