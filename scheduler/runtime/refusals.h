#ifndef HYDRA_SCHEDULER_RUNTIME_REFUSALS_H_
#define HYDRA_SCHEDULER_RUNTIME_REFUSALS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What a call is answered that fails for no fault of its own, with a reason
// and, where it helps to try again, after how long
// (common/status/error_details.h). Pure.
namespace hydra {

// A submission or another order that `why` keeps from being recorded.
//
// RESOURCE_EXHAUSTED: so is `why`, such as a full disk. UNAVAILABLE: it is not.
absl::Status CannotRecord(const absl::Status& why);

// A call that comes before or after the core works. UNAVAILABLE.
absl::Status NotServing();

// A call or stream that the server's end cuts short. UNAVAILABLE.
absl::Status Stopping();

// One call or stream more than can be open. RESOURCE_EXHAUSTED.
absl::Status TooMany(absl::string_view message);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_REFUSALS_H_
