#include "scheduler/service/drain_order.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// A line of a terminal, or two.
constexpr size_t kMostReasonBytes = 200;

}  // namespace

absl::StatusOr<DrainOrder> ParseDrain(const v1::DrainRequest& request) {
  if (request.all() != request.devices().empty()) {
    return WrongField("devices",
                      request.all()
                          ? "found devices beside all, which is the server as "
                            "a whole"
                          : "names of devices are needed, or all");
  }
  if (request.reason().size() > kMostReasonBytes) {
    return WrongField("reason",
                      absl::StrCat("found ", request.reason().size(),
                                   " bytes; at most ", kMostReasonBytes));
  }
  if (request.undrain() && !request.reason().empty()) {
    return WrongField("reason", "what takes tasks again needs none");
  }
  DrainOrder order;
  order.devices.assign(request.devices().begin(), request.devices().end());
  // It goes into what others read.
  if (!request.undrain()) order.reason = Printable(request.reason());
  return order;
}

std::string DrainTarget(const v1::DrainRequest& request) {
  return absl::StrCat(
      request.undrain() ? "undrain " : "",
      request.all() ? "all" : absl::StrJoin(request.devices(), ","));
}

absl::StatusOr<bool> CarryOut(const DrainOrder& order, Core& core) {
  if (order.devices.empty()) return core.SetMaintenance(order.reason);
  return core.DrainDevices(order.devices, order.reason);
}

std::string MaintenanceWarning(const std::string& reason) {
  return absl::StrCat("the server is in maintenance",
                      reason.empty() ? "" : ": ", reason,
                      "; jobs wait until it ends");
}

}  // namespace hydra
