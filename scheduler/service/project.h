#ifndef HYDRA_SCHEDULER_SERVICE_PROJECT_H_
#define HYDRA_SCHEDULER_SERVICE_PROJECT_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "scheduler/core/caller.h"

namespace hydra {

// The group that a submission's JobSpec.project names, which its caller is in.
// None: it names none. May look it up, as FindGroup.
//
// INVALID_ARGUMENT: a mistake in "project" (see mistakes.h): there is no such
// group, or the caller is not in it. UNAVAILABLE: as FindGroup.
absl::StatusOr<std::optional<gid_t>> FindProject(const Caller& caller,
                                                 const std::string& project);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_PROJECT_H_
