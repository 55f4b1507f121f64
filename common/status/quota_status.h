#ifndef HYDRA_COMMON_STATUS_QUOTA_STATUS_H_
#define HYDRA_COMMON_STATUS_QUOTA_STATUS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hydra {

// RESOURCE_EXHAUSTED for a quota that `subject`, such as "user:1000", would go
// beyond, with a google.rpc.QuotaFailure that says the same, and a
// google.rpc.RetryInfo (RetryAfter of error_details.h) where trying again after
// `retry_delay` helps. ToGrpc sends both.
absl::Status QuotaExceeded(absl::string_view subject, absl::string_view message,
                           std::optional<absl::Duration> retry_delay);

// The subject of the first quota that the status is about; empty: of none.
std::string QuotaSubjectOf(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_COMMON_STATUS_QUOTA_STATUS_H_
