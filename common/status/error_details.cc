#include "common/status/error_details.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "common/status/proto_time.h"
#include "google/rpc/error_details.pb.h"

namespace hydra {
namespace {

constexpr absl::string_view kErrorInfoUrl =
    "type.googleapis.com/google.rpc.ErrorInfo";
constexpr absl::string_view kRetryInfoUrl =
    "type.googleapis.com/google.rpc.RetryInfo";

template <typename Detail>
std::optional<Detail> DetailOf(const absl::Status& status,
                               absl::string_view url) {
  const absl::optional<absl::Cord> bytes = status.GetPayload(url);
  Detail detail;
  if (!bytes.has_value() || !detail.ParseFromString(std::string(*bytes))) {
    return std::nullopt;
  }
  return detail;
}

}  // namespace

absl::Status WithReason(absl::Status status, absl::string_view reason) {
  google::rpc::ErrorInfo info;
  info.set_domain(std::string(kErrorDomain));
  info.set_reason(std::string(reason));
  status.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status, kErrorInfoUrl);
  if (!info.has_value() || info->domain() != kErrorDomain) return "";
  return info->reason();
}

absl::Status WithRetry(absl::Status status, absl::Duration after) {
  google::rpc::RetryInfo info;
  *info.mutable_retry_delay() = ToProto(after);
  status.SetPayload(kRetryInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const auto info = DetailOf<google::rpc::RetryInfo>(status, kRetryInfoUrl);
  if (!info.has_value()) return std::nullopt;
  return FromProto(info->retry_delay());
}

}  // namespace hydra
