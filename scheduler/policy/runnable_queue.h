#ifndef HYDRA_SCHEDULER_POLICY_RUNNABLE_QUEUE_H_
#define HYDRA_SCHEDULER_POLICY_RUNNABLE_QUEUE_H_

#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"

namespace hydra {

// The runnable jobs, in the order in which free devices should take them.
//
// A job is in here while its next shard task could begin, and outside while
// that task runs: so the caller removes what it hands to a device, and puts it
// back, with its new remaining time, when the task is done.
//
// Not thread-safe: the thread that owns the scheduler's state owns this too.
// No call blocks. Upsert and Remove are at most logarithmic in the number of
// jobs; Contains, Best and each step of ForEachInOrder take constant time.
class Policy {
 public:
  virtual ~Policy() = default;

  // Adds `job`, or moves it to where its new `remaining` time puts it.
  // `remaining` is the time that all of the job's unfinished tasks would take
  // on one device. An infinite one is allowed, so is a negative one (an
  // estimate that was overrun).
  virtual void Upsert(JobId job, absl::Duration remaining) = 0;

  // Takes `job` out; does nothing if it is not in.
  virtual void Remove(JobId job) = 0;

  // Whether `job` is in.
  virtual bool Contains(JobId job) const = 0;

  // The job to run next; none if no job is runnable.
  virtual std::optional<JobId> Best() const = 0;

  // Calls `visit` for each job, best first, until it returns false. This is for
  // a device that cannot run every job. `visit` must not change this object;
  // remember the choice and remove it afterwards.
  virtual void ForEachInOrder(absl::FunctionRef<bool(JobId)> visit) const = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_RUNNABLE_QUEUE_H_
