#ifndef HYDRA_SCHEDULER_POLICY_POLICY_H_
#define HYDRA_SCHEDULER_POLICY_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "common/ids/ids.h"
#include "scheduler/policy/job_view.h"

namespace hydra {

// Owns the order in which free devices take jobs: whoever compares two jobs
// asks it, and it keeps the runnable ones in that order. Who gets a device is
// all that it decides: room in the pool goes to users in turns (wait_list.h).
//
// A job is in here while its next shard task could begin, and outside while
// that task runs: so the caller removes what it hands to a device, and puts it
// back, with its new remaining time, when the task is done.
//
// Not thread-safe: the thread that owns the scheduler's state owns this too.
// No call blocks. Upsert and Remove are at most logarithmic in the number of
// jobs; Before, Contains and each step of ForEachInOrder take constant time.
class Policy {
 public:
  virtual ~Policy() = default;

  // Whether `a` goes first: a strict order of all jobs, which follows from the
  // two views alone, and, where accounts share the devices, from what these
  // have used so far.
  virtual bool Before(const JobView& a, const JobView& b) const = 0;

  // Whether `a` goes first although a device is inside of a step of `b`, which
  // it has on it: false wherever the order would hardly suffer if the step were
  // ended first. Only where Before is true.
  virtual bool BeforeByFar(const JobView& a, const JobView& b) const = 0;

  // Whether `other`, which Before puts behind `first`, may go before it since
  // it suits a device better, which has more of what it reads, or would wait
  // less for it: true only where the order would hardly suffer. False if
  // `first` has no known time, and `other` has.
  virtual bool MayYield(const JobView& first, const JobView& other) const = 0;

  // For people who ask why a job waits, "2 jobs with more time remaining are
  // ahead": how many go first, and what puts them there. Requires jobs >= 1.
  virtual std::string JobsAhead(int64_t jobs) const = 0;

  // Adds the job, or moves it to where its new view puts it.
  virtual void Upsert(const JobView& job) = 0;

  // Takes `job` out; does nothing if it is not in.
  virtual void Remove(JobId job) = 0;

  // Whether `job` is in.
  virtual bool Contains(JobId job) const = 0;

  // Calls `visit` for each job, the first one first, until it returns false.
  // `visit` must not change this object; remember the choice and remove it
  // afterwards.
  virtual void ForEachInOrder(
      absl::FunctionRef<bool(const JobView&)> visit) const = 0;

  // The first one of all; none if no job is runnable.
  std::optional<JobId> Best() const {
    std::optional<JobId> best;
    ForEachInOrder([&](const JobView& job) {
      best = job.id;
      return false;
    });
    return best;
  }
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_POLICY_H_
