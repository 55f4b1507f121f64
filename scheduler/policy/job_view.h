#ifndef HYDRA_SCHEDULER_POLICY_JOB_VIEW_H_
#define HYDRA_SCHEDULER_POLICY_JOB_VIEW_H_

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/policy/account.h"

namespace hydra {

// What a policy knows of a job. A value.
struct JobView {
  JobId id;
  // What all of the job's unfinished tasks would take on one device. Infinite
  // while it is not known; negative where an estimate was overrun.
  absl::Duration remaining;
  absl::Time submitted;
  // What one of its steps takes on one device, as far as that is known.
  absl::Duration step;
  // Whose share of the devices it takes.
  Account account;
  // Among those of its account: the higher one goes first.
  int priority = 0;
  // Since when it waits for a device. Infinitely long ago: it does not.
  absl::Time waits_since = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_JOB_VIEW_H_
