#include "worker/session/recent_jobs.h"

namespace hydra {

bool RecentJobs::Touch(uint64_t job_id) {
  newest_first_.remove(job_id);
  newest_first_.push_front(job_id);
  if (newest_first_.size() <= capacity_) return false;
  newest_first_.pop_back();
  return true;
}

}  // namespace hydra
