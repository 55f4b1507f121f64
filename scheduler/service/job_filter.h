#ifndef HYDRA_SCHEDULER_SERVICE_JOB_FILTER_H_
#define HYDRA_SCHEDULER_SERVICE_JOB_FILTER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"

namespace hydra {

// A user as requests name one: "me", a name, or a number. May look it up.
//
// INVALID_ARGUMENT: there is no such user; says which `field`. UNAVAILABLE: as
// FindUser.
absl::StatusOr<Caller> ParseUser(const Caller& caller, const std::string& text,
                                 const std::string& field);

// Which jobs a list shows, but for their states and sweeps. A value.
class JobFilter {
 public:
  // INVALID_ARGUMENT: with the field's name. UNAVAILABLE: as ParseUser.
  static absl::StatusOr<JobFilter> Of(const Caller& caller,
                                      const v1::ListJobsRequest& request);

  // Of a job as its reader is shown it: by what is withheld, nothing matches.
  bool Matches(const v1::JobStatus& job) const;

 private:
  // None: all.
  std::optional<Caller> owner_;
  // Empty: all.
  std::string name_;
  bool name_is_pattern_ = false;
  absl::Time after_ = absl::InfinitePast();
  absl::Time before_ = absl::InfiniteFuture();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_JOB_FILTER_H_
