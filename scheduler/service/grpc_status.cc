#include "scheduler/service/grpc_status.h"

#include "common/jobfile/mistakes.h"

namespace hydra {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const Mistakes mistakes = MistakesOf(status);
  std::string details;
  if (!mistakes.empty()) {
    hydra::v1::InvalidJob invalid;
    invalid.mutable_violations()->Assign(mistakes.begin(), mistakes.end());
    details = invalid.SerializeAsString();
  }
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message()), details};
}

}  // namespace hydra
