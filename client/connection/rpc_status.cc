#include "client/connection/rpc_status.h"

#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  v1::InvalidJob invalid;
  if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT &&
      invalid.ParseFromString(status.error_details()) &&
      !invalid.violations().empty()) {
    return ToStatus(
        Mistakes(invalid.violations().begin(), invalid.violations().end()));
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

}  // namespace hydra
