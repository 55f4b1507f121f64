#ifndef HYDRA_COMMON_STATUS_ERROR_DETAILS_H_
#define HYDRA_COMMON_STATUS_ERROR_DETAILS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// What an error says to programs, beside its code and its message: the cause as
// a word that does not change (google.rpc.ErrorInfo), and whether the same call
// may be made again (google.rpc.RetryInfo). They are payloads of a status, and
// cross gRPC as its details. Pure.
namespace hydra {

// The domain of Hydra's reasons.
inline constexpr absl::string_view kErrorDomain = "hydra";

// All reasons. docs/api.md says what each of them means.
inline constexpr absl::string_view kCannotRecord = "CANNOT_RECORD";
inline constexpr absl::string_view kJobNotEnded = "JOB_NOT_ENDED";
inline constexpr absl::string_view kJobNotFound = "JOB_NOT_FOUND";
inline constexpr absl::string_view kNoModel = "NO_MODEL";
inline constexpr absl::string_view kNotServing = "NOT_SERVING";
inline constexpr absl::string_view kRequestIdReused = "REQUEST_ID_REUSED";
inline constexpr absl::string_view kSweepNotFound = "SWEEP_NOT_FOUND";
inline constexpr absl::string_view kTooManyCalls = "TOO_MANY_CALLS";

// `status`, which is an error, with that reason in place of any other.
absl::Status WithReason(absl::Status status, absl::string_view reason);
// Empty: there is none, or it is of another domain.
std::string ReasonOf(const absl::Status& status);

// `status`, which is an error: the same call may succeed after this long.
absl::Status WithRetry(absl::Status status, absl::Duration after);
// None: nothing says that trying again helps.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_COMMON_STATUS_ERROR_DETAILS_H_
