#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_HEALTH_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_HEALTH_H_

#include <memory>

#include "absl/time/time.h"

namespace grpc {
class Channel;
}

namespace hydra {

// Whether the server's standard health service (grpc.health.v1) answers within
// `timeout`, whatever it says: hydrad takes jobs before a worker is ready.
bool IsUp(const std::shared_ptr<grpc::Channel>& channel,
          absl::Duration timeout);

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_HEALTH_H_
