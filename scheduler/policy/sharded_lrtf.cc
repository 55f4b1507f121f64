#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {

void ShardedLrtf::Upsert(JobId job, absl::Duration remaining) {
  auto [it, inserted] = remaining_.try_emplace(job, remaining);
  if (!inserted) {
    if (it->second == remaining) return;
    order_.erase(Entry{it->second, job});
    it->second = remaining;
  }
  order_.insert(Entry{remaining, job});
}

void ShardedLrtf::Remove(JobId job) {
  auto it = remaining_.find(job);
  if (it == remaining_.end()) return;
  order_.erase(Entry{it->second, job});
  remaining_.erase(it);
}

std::optional<JobId> ShardedLrtf::Best() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->job;
}

void ShardedLrtf::ForEachInOrder(absl::FunctionRef<bool(JobId)> visit) const {
  for (const Entry& entry : order_) {
    if (!visit(entry.job)) return;
  }
}

}  // namespace hydra
