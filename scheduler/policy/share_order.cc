#include "scheduler/policy/share_order.h"

#include <algorithm>

namespace hydra {

void ShareOrder::Change(Account account, absl::FunctionRef<void()> change) {
  const bool waits = waiting_.erase(account) > 0;
  change();
  FollowEpoch();
  if (waits) waiting_.insert(account);
}

void ShareOrder::FollowEpoch() {
  if (ledger_.epoch() == epoch_) return;
  Reorder([this] { epoch_ = ledger_.epoch(); });
}

void ShareOrder::Reorder(absl::FunctionRef<void()> change) {
  const std::vector<Account> accounts(waiting_.begin(), waiting_.end());
  waiting_.clear();
  change();
  waiting_.insert(accounts.begin(), accounts.end());
}

void ShareOrder::SetWeights(absl::btree_map<Account, double> weights) {
  Reorder([&] { ledger_.SetWeights(std::move(weights)); });
}

void ShareOrder::HandedOut(Account account, int priority,
                           absl::Duration estimate, absl::Time now) {
  Change(account, [&] { ledger_.Promise(account, estimate, now); });
  Line& line = lines_[account];
  Level& level = line.levels.try_emplace(priority, inside_).first->second;
  const bool has_jobs = line.order.erase(PlaceOf(priority, level.served)) > 0;
  level.served = now;
  if (has_jobs) line.order.insert(PlaceOf(priority, level.served));
}

void ShareOrder::TakeBack(Account account, absl::Duration estimate) {
  Change(account, [&] { ledger_.TakeBack(account, estimate); });
}

void ShareOrder::Charge(Account account, absl::Duration took, absl::Time now) {
  Change(account, [&] { ledger_.Charge(account, took, now); });
}

ShareOrder::LevelPlace ShareOrder::PlaceOf(const JobView& job) const {
  const auto line = lines_.find(job.account);
  absl::Time served = ledger_.now();
  if (line != lines_.end()) {
    const auto level = line->second.levels.find(job.priority);
    if (level != line->second.levels.end()) served = level->second.served;
  }
  return PlaceOf(job.priority, served);
}

bool ShareOrder::Before(const JobView& a, const JobView& b) const {
  if (a.account != b.account) return ledger_.Before(a.account, b.account);
  if (a.priority != b.priority) return PlaceOf(a) < PlaceOf(b);
  return inside_->Before(a, b);
}

// Which of them have no known time, is as important to others as to this one.
bool ShareOrder::HardlyDelays(const JobView& a, const JobView& b) const {
  if (a.remaining == absl::InfiniteDuration() &&
      b.remaining != absl::InfiniteDuration()) {
    return false;
  }
  return b.step <= kShortStep && ledger_.LeadOf(b.account, a.account) <= b.step;
}

bool ShareOrder::BeforeByFar(const JobView& a, const JobView& b) const {
  if (a.account == b.account && a.priority == b.priority) {
    return inside_->BeforeByFar(a, b);
  }
  if (!Before(a, b)) return false;
  return a.account == b.account || !HardlyDelays(a, b);
}

bool ShareOrder::MayYield(const JobView& first, const JobView& other) const {
  if (first.account != other.account) return HardlyDelays(first, other);
  return first.priority == other.priority && inside_->MayYield(first, other);
}

void ShareOrder::Insert(const JobView& job) {
  Line& line = lines_[job.account];
  Level& level = line.levels.try_emplace(job.priority, inside_).first->second;
  if (level.jobs.empty()) {
    level.served = std::max(level.served, job.waits_since);
    line.order.insert(PlaceOf(job.priority, level.served));
  }
  level.jobs.insert(job);
  views_[job.id] = job;
}

void ShareOrder::Erase(const JobView& job) {
  Line& line = lines_.at(job.account);
  Level& level = line.levels.at(job.priority);
  level.jobs.erase(job);
  if (level.jobs.empty()) {
    line.order.erase(PlaceOf(job.priority, level.served));
  }
}

void ShareOrder::Upsert(const JobView& job) {
  const auto known = views_.find(job.id);
  if (known != views_.end() && known->second.account == job.account) {
    Erase(JobView(known->second));
    Insert(job);
    return;
  }
  Remove(job.id);
  Insert(job);
  if (waiting_.count(job.account) > 0) return;
  const Account* const least = waiting_.empty() ? nullptr : &*waiting_.begin();
  ledger_.Join(job.account, least, job.waits_since);
  FollowEpoch();
  waiting_.insert(job.account);
}

void ShareOrder::Remove(JobId job) {
  const auto known = views_.find(job);
  if (known == views_.end()) return;
  const JobView view = known->second;
  Erase(view);
  views_.erase(known);
  if (lines_.at(view.account).order.empty()) waiting_.erase(view.account);
}

void ShareOrder::ForEachInOrder(
    absl::FunctionRef<bool(const JobView&)> visit) const {
  for (const Account account : waiting_) {
    const Line& line = lines_.at(account);
    for (const auto& [served, priority] : line.order) {
      for (const JobView& job : line.levels.at(-priority).jobs) {
        if (!visit(job)) return;
      }
    }
  }
}

}  // namespace hydra
