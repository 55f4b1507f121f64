#include "scheduler/core/room_reclaimer.h"

#include <utility>

#include "absl/container/btree_set.h"

namespace hydra {

double RoomReclaimer::WeightOf(Account account) const {
  const auto& weights = parts_.options->shares.weights;
  const auto weight = weights.find(account);
  return weight == weights.end() ? 1 : weight->second;
}

double RoomReclaimer::AllWeights() const {
  absl::btree_set<Account> accounts;
  for (Account account : parts_.quotas->AccountsInPool()) {
    accounts.insert(account);
  }
  for (const WaitList::Waiting& each : parts_.queue->WaitingForRoom()) {
    accounts.insert(each.account);
  }
  double weights = 0;
  for (Account account : accounts) weights += WeightOf(account);
  return weights;
}

double RoomReclaimer::BeyondPart(Account account, double all_weights) const {
  const double part =
      static_cast<double>(pool_bytes_) * (WeightOf(account) / all_weights);
  return static_cast<double>(parts_.quotas->PoolBytesOf(account)) - part;
}

std::optional<WaitList::Waiting> RoomReclaimer::Deserving(
    double all_weights, absl::Time now) const {
  std::optional<WaitList::Waiting> longest;
  for (const WaitList::Waiting& each : parts_.queue->WaitingForRoom()) {
    const Job* job = parts_.book->Find(each.job);
    const bool within_part =
        job != nullptr && job->demand.has_value() &&
        BeyondPart(each.account, all_weights) +
                static_cast<double>(job->demand->total_bytes()) <=
            0;
    if (!within_part || now - each.since < kPatience) continue;
    if (!longest.has_value() || each.since < longest->since) longest = each;
  }
  return longest;
}

Job* RoomReclaimer::Giver(Account account, double all_weights,
                          absl::Time now) const {
  std::optional<Account> richest;
  double most = 0;
  for (Account each : parts_.quotas->AccountsInPool()) {
    const double beyond = BeyondPart(each, all_weights);
    if (each == account || beyond <= most) continue;
    richest = each;
    most = beyond;
  }
  if (!richest.has_value()) return nullptr;
  Job* giver = nullptr;
  for (auto& [id, job] : parts_.book->all()) {
    // One that writes its trained model gives its room soon.
    if (AccountOf(job) != *richest || !job.in_chain() ||
        job.phase() == v1::JOB_PHASE_SAVE || job.intent != Intent::kGoOn ||
        now - job.admitted_at < kTenure) {
      continue;
    }
    if (giver == nullptr || job.admitted_at >= giver->admitted_at) giver = &job;
  }
  return giver;
}

void RoomReclaimer::Tick(absl::Time now) {
  if (!parts_.options->reclaim_room) return;
  Job* const asked = parts_.book->Find(giver_);
  if (asked != nullptr && asked->yields && !asked->ended()) return;
  // It could not be saved, or its user wants it to go on.
  if (asked != nullptr && asked->in_chain()) asked->admitted_at = now;
  giver_ = JobId();
  const double all_weights = AllWeights();
  const auto waiting = Deserving(all_weights, now);
  if (!waiting.has_value()) return;
  Job* const giver = Giver(waiting->account, all_weights, now);
  if (giver == nullptr) return;
  giver_ = giver->id;
  parts_.queue->KeepRoomFor(waiting->job);
  if (!parts_.life->YieldRoom(*giver, now)) giver_ = JobId();
}

}  // namespace hydra
