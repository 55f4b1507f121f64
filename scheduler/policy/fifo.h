#ifndef HYDRA_SCHEDULER_POLICY_FIFO_H_
#define HYDRA_SCHEDULER_POLICY_FIFO_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/ordered_policy.h"

namespace hydra {

// In the order of submission; jobs of one sweep by their ids.
struct SubmittedFirst {
  bool operator()(const JobView& a, const JobView& b) const {
    if (a.submitted != b.submitted) return a.submitted < b.submitted;
    return a.id < b.id;
  }
  // A step of a younger job is ended first.
  static bool ByFar(const JobView&, const JobView&) { return false; }
  // Its users count on the order.
  static bool MayYield(const JobView&, const JobView&) { return false; }
  static std::string JobsAhead(int64_t jobs) {
    return jobs == 1 ? "1 job that was submitted earlier is ahead"
                     : absl::StrCat(
                           jobs, " jobs that were submitted earlier are ahead");
  }
};

// First come, first served: the oldest runnable job goes first, so jobs tend to
// end in the order in which they came, and the last ones may run alone.
using Fifo = OrderedPolicy<SubmittedFirst>;

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_FIFO_H_
