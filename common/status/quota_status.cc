#include "common/status/quota_status.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "common/status/error_details.h"
#include "google/rpc/error_details.pb.h"

namespace hydra {
namespace {

constexpr absl::string_view kQuotaUrl =
    "type.googleapis.com/google.rpc.QuotaFailure";

}  // namespace

absl::Status QuotaExceeded(absl::string_view subject, absl::string_view message,
                           std::optional<absl::Duration> retry_delay) {
  absl::Status status = absl::ResourceExhaustedError(message);
  google::rpc::QuotaFailure failure;
  google::rpc::QuotaFailure::Violation& violation = *failure.add_violations();
  violation.set_subject(std::string(subject));
  violation.set_description(std::string(message));
  status.SetPayload(kQuotaUrl, absl::Cord(failure.SerializeAsString()));
  if (!retry_delay.has_value()) return status;
  return WithRetry(std::move(status), *retry_delay);
}

std::string QuotaSubjectOf(const absl::Status& status) {
  const absl::optional<absl::Cord> bytes = status.GetPayload(kQuotaUrl);
  google::rpc::QuotaFailure failure;
  if (!bytes.has_value() || !failure.ParseFromString(std::string(*bytes)) ||
      failure.violations().empty()) {
    return "";
  }
  return failure.violations(0).subject();
}

}  // namespace hydra
