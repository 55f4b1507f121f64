#ifndef HYDRA_SCHEDULER_POLICY_POLICIES_H_
#define HYDRA_SCHEDULER_POLICY_POLICIES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/policy/policy.h"

namespace hydra {

// The policies by their names in the daemon's configuration. Thread-safe.

// The one to take where none is named.
inline constexpr absl::string_view kDefaultPolicy = "sharded-lrtf";

std::vector<std::string> PolicyNames();

// The default one for an empty name.
//
// INVALID_ARGUMENT: there is none of this name; says which there are.
absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(absl::string_view name);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_POLICIES_H_
