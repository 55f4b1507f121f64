#ifndef HYDRA_CLIENT_CONNECTION_RPC_STATUS_H_
#define HYDRA_CLIENT_CONNECTION_RPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace hydra {

// The same code and message. Of a refused submission the message is what
// ToStatus() of common/jobfile/mistakes.h makes of the mistakes that the status
// details list: "field: description", one a line.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_RPC_STATUS_H_
