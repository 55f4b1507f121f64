#ifndef HYDRA_SCHEDULER_SERVICE_GRPC_STATUS_H_
#define HYDRA_SCHEDULER_SERVICE_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace hydra {

// The same code and message; the mistakes of a submission go along as the
// details.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_GRPC_STATUS_H_
