#ifndef HYDRA_SCHEDULER_POLICY_ORDERED_POLICY_H_
#define HYDRA_SCHEDULER_POLICY_ORDERED_POLICY_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "common/ids/ids.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/policy.h"

namespace hydra {

// A policy that is nothing but an order of jobs' views: `Order` has no state,
// its operator() says which of two comes first, its ByFar in spite of what, its
// MayYield in spite of what not, and its JobsAhead why.
template <typename Order>
class OrderedPolicy final : public Policy {
 public:
  bool Before(const JobView& a, const JobView& b) const override {
    return Order()(a, b);
  }

  bool BeforeByFar(const JobView& a, const JobView& b) const override {
    return Order::ByFar(a, b);
  }

  bool MayYield(const JobView& first, const JobView& other) const override {
    return Order::MayYield(first, other);
  }

  std::string JobsAhead(int64_t jobs) const override {
    return Order::JobsAhead(jobs);
  }

  void Upsert(const JobView& job) override {
    auto [known, inserted] = views_.try_emplace(job.id, job);
    if (!inserted) {
      order_.erase(known->second);
      known->second = job;
    }
    order_.insert(job);
  }

  void Remove(JobId job) override {
    const auto known = views_.find(job);
    if (known == views_.end()) return;
    order_.erase(known->second);
    views_.erase(known);
  }

  bool Contains(JobId job) const override { return views_.contains(job); }

  void ForEachInOrder(
      absl::FunctionRef<bool(const JobView&)> visit) const override {
    for (const JobView& job : order_) {
      if (!visit(job)) return;
    }
  }

 private:
  // The same jobs twice: in order, and by id to find a job's place in it.
  absl::btree_set<JobView, Order> order_;
  absl::flat_hash_map<JobId, JobView> views_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_ORDERED_POLICY_H_
