#include "scheduler/core/wait_list.h"

namespace hydra {

void WaitList::WaitFor(JobId job, const std::string& what) {
  Remove(job);
  const auto group = groups_.try_emplace(what).first;
  group->second.insert(job);
  waits_for_[job] = &group->first;
}

void WaitList::WaitForRoom(JobId job) {
  Remove(job);
  for_room_.insert(job);
  if (!WaitsBehindOthers(job)) room_offered_ = false;
}

void WaitList::Remove(JobId job) {
  awake_.erase(job);
  for_room_.erase(job);
  const auto waits = waits_for_.find(job);
  if (waits == waits_for_.end()) return;
  const auto group = groups_.find(*waits->second);
  waits_for_.erase(waits);
  group->second.erase(job);
  if (group->second.empty()) groups_.erase(group);
}

void WaitList::Wake(JobId job) {
  Remove(job);
  awake_.insert(job);
}

void WaitList::Wake(const std::string& what) {
  const auto group = groups_.find(what);
  if (group == groups_.end()) return;
  for (JobId job : group->second) {
    waits_for_.erase(job);
    awake_.insert(job);
  }
  groups_.erase(group);
}

std::optional<JobId> WaitList::Take() {
  if (!has_next()) return std::nullopt;
  const JobId next = awake_.empty() ? *for_room_.begin() : *awake_.begin();
  Remove(next);
  return next;
}

bool WaitList::contains(JobId job) const {
  return awake_.contains(job) || for_room_.contains(job) ||
         waits_for_.contains(job);
}

}  // namespace hydra
