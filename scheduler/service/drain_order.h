#ifndef HYDRA_SCHEDULER_SERVICE_DRAIN_ORDER_H_
#define HYDRA_SCHEDULER_SERVICE_DRAIN_ORDER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/core.h"

namespace hydra {

// What an operator wants drained, or not any more.
struct DrainOrder {
  // Empty: the server as a whole.
  std::vector<std::string> devices;
  // None: it takes tasks again.
  std::optional<std::string> reason;
};

// What a request asks for. Pure.
//
// INVALID_ARGUMENT: with the field's name.
absl::StatusOr<DrainOrder> ParseDrain(const v1::DrainRequest& request);

// What the audit log says of it: "all", "undrain cpu:0,cpu:1". Pure.
std::string DrainTarget(const v1::DrainRequest& request);

// Whether it changed anything. Errors are Core's.
absl::StatusOr<bool> CarryOut(const DrainOrder& order, Core& core);

// In maintenance, whoever submits is told so. Pure.
std::string MaintenanceWarning(const std::string& reason);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_DRAIN_ORDER_H_
