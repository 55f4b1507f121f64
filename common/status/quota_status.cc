#include "common/status/quota_status.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "common/status/proto_time.h"
#include "google/rpc/error_details.pb.h"

namespace hydra {
namespace {

constexpr absl::string_view kQuotaUrl =
    "type.googleapis.com/google.rpc.QuotaFailure";
constexpr absl::string_view kRetryUrl =
    "type.googleapis.com/google.rpc.RetryInfo";

template <typename Message>
void SetPayload(absl::string_view url, const Message& payload,
                absl::Status& status) {
  status.SetPayload(url, absl::Cord(payload.SerializeAsString()));
}

// Whether it has such a payload.
template <typename Message>
bool GetPayload(absl::string_view url, const absl::Status& status,
                Message& payload) {
  const absl::optional<absl::Cord> bytes = status.GetPayload(url);
  return bytes.has_value() && payload.ParseFromString(std::string(*bytes));
}

}  // namespace

absl::Status QuotaExceeded(absl::string_view subject, absl::string_view message,
                           std::optional<absl::Duration> retry_delay) {
  absl::Status status = absl::ResourceExhaustedError(message);
  google::rpc::QuotaFailure failure;
  google::rpc::QuotaFailure::Violation& violation = *failure.add_violations();
  violation.set_subject(std::string(subject));
  violation.set_description(std::string(message));
  SetPayload(kQuotaUrl, failure, status);
  if (!retry_delay.has_value()) return status;
  google::rpc::RetryInfo retry;
  *retry.mutable_retry_delay() = ToProto(*retry_delay);
  SetPayload(kRetryUrl, retry, status);
  return status;
}

std::string QuotaSubjectOf(const absl::Status& status) {
  google::rpc::QuotaFailure failure;
  if (!GetPayload(kQuotaUrl, status, failure) || failure.violations().empty()) {
    return "";
  }
  return failure.violations(0).subject();
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  google::rpc::RetryInfo retry;
  if (!GetPayload(kRetryUrl, status, retry)) return std::nullopt;
  return FromProto(retry.retry_delay());
}

}  // namespace hydra
