#include "scheduler/runtime/refusals.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/error_details.h"

namespace hydra {
namespace {

// A journal that fails is tried about as often, and calls end in less.
constexpr absl::Duration kTryAgainAfter = absl::Seconds(1);

}  // namespace

absl::Status CannotRecord(const absl::Status& why) {
  const std::string message =
      absl::StrCat("it cannot be recorded, try again later: ", why.message());
  // Nobody knows when somebody will have made room.
  if (absl::IsResourceExhausted(why)) {
    return WithReason(absl::ResourceExhaustedError(message), kCannotRecord);
  }
  return WithRetry(WithReason(absl::UnavailableError(message), kCannotRecord),
                   kTryAgainAfter);
}

absl::Status NotServing() {
  return WithRetry(
      WithReason(absl::UnavailableError("the server is starting or stopping"),
                 kNotServing),
      kTryAgainAfter);
}

absl::Status Stopping() {
  return WithRetry(
      WithReason(absl::UnavailableError("the server is stopping"), kNotServing),
      kTryAgainAfter);
}

absl::Status TooMany(absl::string_view message) {
  return WithRetry(
      WithReason(absl::ResourceExhaustedError(message), kTooManyCalls),
      kTryAgainAfter);
}

}  // namespace hydra
