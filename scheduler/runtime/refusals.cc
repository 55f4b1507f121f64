#include "scheduler/runtime/refusals.h"

#include "absl/strings/str_cat.h"

namespace hydra {

absl::Status CannotRecord(const absl::Status& why) {
  return absl::Status(
      absl::IsResourceExhausted(why) ? absl::StatusCode::kResourceExhausted
                                     : absl::StatusCode::kUnavailable,
      absl::StrCat("it cannot be recorded, try again later: ", why.message()));
}

absl::Status NotServing() {
  return absl::UnavailableError("the server is starting or stopping");
}

absl::Status Stopping() {
  return absl::UnavailableError("the server is stopping");
}

}  // namespace hydra
