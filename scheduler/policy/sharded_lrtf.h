#ifndef HYDRA_SCHEDULER_POLICY_SHARDED_LRTF_H_
#define HYDRA_SCHEDULER_POLICY_SHARDED_LRTF_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/ordered_policy.h"

namespace hydra {

// The paper's order: the longest total remaining time first; of equal ones the
// lowest job id.
struct LongestRemainingFirst {
  bool operator()(const JobView& a, const JobView& b) const {
    if (a.remaining != b.remaining) return a.remaining > b.remaining;
    return a.id < b.id;
  }
  // By more than what steps and measurements differ by; and ending the step
  // first would delay `a` by more than a fiftieth of what it has left.
  static bool ByFar(const JobView& a, const JobView& b) {
    if (a.remaining == absl::InfiniteDuration()) {
      return b.remaining != absl::InfiniteDuration();
    }
    return !MayYield(a, b) && b.step > a.remaining / 50;
  }
  static bool MayYield(const JobView& first, const JobView& other) {
    if (first.remaining == absl::InfiniteDuration()) {
      return other.remaining == absl::InfiniteDuration();
    }
    return first.remaining - other.remaining <=
           std::max(2 * other.step, first.remaining / 100);
  }
  static std::string JobsAhead(int64_t jobs) {
    return jobs == 1
               ? "1 job with more time remaining is ahead"
               : absl::StrCat(jobs, " jobs with more time remaining are ahead");
  }
};

// Sharded-LRTF: the next shard of the runnable job with the longest total
// remaining time goes first. Jobs then tend to end together, which keeps every
// device busy until the end. A device that is inside of a job's step ends it
// first, unless another job has more time remaining by far: so equal jobs do
// not take turns at each shard, where each would have to come in anew. Between
// steps, of jobs that differ by no more than that, it may go on with one whose
// blocks it has.
using ShardedLrtf = OrderedPolicy<LongestRemainingFirst>;

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_SHARDED_LRTF_H_
