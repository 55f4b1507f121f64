#ifndef HYDRA_SCHEDULER_CORE_QUOTA_OPTIONS_H_
#define HYDRA_SCHEDULER_CORE_QUOTA_OPTIONS_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "scheduler/policy/account.h"

namespace hydra {

// The most that one account may have. 0: no limit.
struct Quota {
  // Jobs that have not ended.
  int64_t queued_jobs = 0;
  // Of these, those in the pool.
  int64_t admitted_jobs = 0;
  // What these need of it, each base with each job.
  int64_t pool_bytes = 0;
  // New sweeps and jobs.
  int64_t submissions_per_minute = 0;
};

struct QuotaOptions {
  // Of accounts that are not below.
  Quota each;
  absl::btree_map<Account, Quota> accounts;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_QUOTA_OPTIONS_H_
