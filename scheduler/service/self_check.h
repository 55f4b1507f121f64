#ifndef HYDRA_SCHEDULER_SERVICE_SELF_CHECK_H_
#define HYDRA_SCHEDULER_SERVICE_SELF_CHECK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/socket_path.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {

// Asks this daemon as a client does, through its own socket: whether whoever
// comes there is answered. The core is not asked: while the disk is full it
// rightly does nothing. Not thread-safe.
class SelfCheck {
 public:
  // Others: what the system said of the socket's folder.
  static absl::StatusOr<std::unique_ptr<SelfCheck>> Of(
      const std::string& unix_socket);

  // Any answer is one, also that there are too many calls, or that this user
  // may not ask.
  bool Answers(absl::Duration timeout);

 private:
  explicit SelfCheck(SocketPath socket);

  const SocketPath socket_;
  const std::unique_ptr<v1::HydraService::Stub> stub_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_SELF_CHECK_H_
