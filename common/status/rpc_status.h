#ifndef HYDRA_COMMON_STATUS_RPC_STATUS_H_
#define HYDRA_COMMON_STATUS_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace hydra {

// The same code and message. Its payloads go along as the details of a
// google.rpc.Status, as gRPC's libraries for other languages expect them
// (common/jobfile/mistakes.h, error_details.h). What would be too long for a
// client's metadata is cut between characters: of very many mistakes of a
// submission only the first ones go, and at least one.
grpc::Status ToGrpc(const absl::Status& status);

// The way back. Of a refused submission the message is what ToStatus() of
// common/jobfile/mistakes.h makes of the mistakes in the details: "field:
// description", one a line.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace hydra

#endif  // HYDRA_COMMON_STATUS_RPC_STATUS_H_
