#include "scheduler/policy/share_ledger.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hydra {
namespace {

// Numbers are far from the largest ones then.
constexpr int kMostHalfLives = 32;

}  // namespace

ShareLedger::ShareLedger(ShareOptions options) : options_(std::move(options)) {}

void ShareLedger::SetWeights(absl::btree_map<Account, double> weights) {
  options_.weights = std::move(weights);
  for (auto& [account, entry] : entries_) {
    const double before = std::exchange(entry.weight, WeightOf(account));
    entry.charged *= before / entry.weight;
    SetPlace(entry);
  }
}

double ShareLedger::WeightOf(Account account) const {
  const auto weight = options_.weights.find(account);
  return weight == options_.weights.end() ? 1 : weight->second;
}

ShareLedger::Entry& ShareLedger::At(Account account) {
  const auto [entry, is_new] = entries_.try_emplace(account);
  if (is_new) {
    entry->second.weight = WeightOf(account);
    entry->second.charged = level_;
    entry->second.place = level_;
  }
  return entry->second;
}

double ShareLedger::PlaceOf(Account account) const {
  const auto entry = entries_.find(account);
  return entry == entries_.end() ? level_ : entry->second.place;
}

double ShareLedger::Scale() const {
  if (epoch_ == absl::InfinitePast()) return 1;
  return std::exp2(absl::FDivDuration(now_ - epoch_, options_.half_life));
}

absl::Duration ShareLedger::ToDuration(double place) const {
  return absl::Seconds(place / Scale());
}

void ShareLedger::SetPlace(Entry& entry) {
  entry.place = entry.charged +
                absl::ToDoubleSeconds(entry.promised) / entry.weight * Scale();
}

void ShareLedger::Advance(absl::Time now) {
  if (now <= now_) return;
  now_ = now;
  if (epoch_ == absl::InfinitePast()) epoch_ = now;
  const double half_lives =
      absl::FDivDuration(now_ - epoch_, options_.half_life);
  if (half_lives >= kMostHalfLives) {
    MoveEpoch(static_cast<int>(std::min(half_lives, 1e9)));
  }
}

void ShareLedger::MoveEpoch(int half_lives) {
  epoch_ += half_lives * options_.half_life;
  level_ = std::ldexp(level_, -half_lives);
  for (auto& [account, entry] : entries_) {
    entry.charged = std::ldexp(entry.charged, -half_lives);
    entry.place = std::ldexp(entry.place, -half_lives);
  }
}

void ShareLedger::Promise(Account account, absl::Duration estimate,
                          absl::Time now) {
  Advance(now);
  Entry& entry = At(account);
  level_ = std::max(level_, entry.charged);
  entry.promised += estimate;
  entry.active_at = now_;
  SetPlace(entry);
}

void ShareLedger::TakeBack(Account account, absl::Duration estimate) {
  Entry& entry = At(account);
  entry.promised -= estimate;
  entry.active_at = now_;
  SetPlace(entry);
}

void ShareLedger::Charge(Account account, absl::Duration took, absl::Time now) {
  Advance(now);
  Entry& entry = At(account);
  entry.charged += absl::ToDoubleSeconds(took) / entry.weight * Scale();
  entry.active_at = now_;
  SetPlace(entry);
}

void ShareLedger::Join(Account account, const Account* least, absl::Time now) {
  Advance(now);
  double lowest = least != nullptr ? PlaceOf(*least) : level_;
  const bool is_new = !entries_.contains(account);
  Entry& entry = At(account);
  const bool was_away =
      entry.promised <= absl::ZeroDuration() && now_ - entry.active_at > kAway;
  entry.active_at = now_;
  if (is_new) {
    entry.charged = lowest;
  } else {
    if (!was_away) {
      lowest -=
          absl::ToDoubleSeconds(options_.half_life) * kMostCredit * Scale();
    }
    entry.charged += std::max(0.0, lowest - entry.place);
  }
  SetPlace(entry);
}

bool ShareLedger::Before(Account a, Account b) const {
  const double place_a = PlaceOf(a);
  const double place_b = PlaceOf(b);
  return place_a != place_b ? place_a < place_b : a < b;
}

absl::Duration ShareLedger::LeadOf(Account ahead, Account behind) const {
  const auto entry = entries_.find(ahead);
  const double weight = entry == entries_.end() ? 1 : entry->second.weight;
  return ToDuration(PlaceOf(ahead) - PlaceOf(behind)) * weight;
}

std::vector<ShareLedger::Use> ShareLedger::Uses() const {
  std::vector<Use> uses;
  for (const auto& [account, entry] : entries_) {
    uses.push_back({account, ToDuration(entry.charged) * entry.weight});
  }
  std::sort(uses.begin(), uses.end(),
            [](const Use& a, const Use& b) { return a.account < b.account; });
  return uses;
}

void ShareLedger::Restore(const std::vector<Use>& uses, absl::Duration level,
                          absl::Time at, absl::Time now) {
  // Of a time to come, nothing would count less before that is there.
  Advance(std::min(at, now));
  for (const Use& use : uses) {
    Entry& entry = At(use.account);
    entry.charged = absl::ToDoubleSeconds(use.used) / entry.weight * Scale();
    entry.active_at = now;
    SetPlace(entry);
  }
  level_ = absl::ToDoubleSeconds(level) * Scale();
  Advance(now);
}

}  // namespace hydra
