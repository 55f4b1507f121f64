#include "scheduler/core/wait_list.h"

#include <algorithm>
#include <utility>

namespace hydra {

void WaitList::WaitFor(JobId job, const std::string& what) {
  Remove(job);
  const auto group = groups_.try_emplace(what).first;
  group->second.insert(job);
  waits_for_[job] = &group->first;
}

void WaitList::WaitForRoom(JobId job, Account account, absl::Time now) {
  TakeOut(job);
  Room& room = for_room_[account];
  room.jobs.insert(job);
  room_of_[job] = account;
  if (*room.jobs.begin() != job) return;
  room.refused_offer = offer_;
  const bool waited = room.refused == job && now != absl::InfiniteFuture();
  room.since = waited ? std::min(room.since, now) : now;
  room.refused = job;
}

void WaitList::NoteRoomTaken(Account account) {
  Room& room = for_room_[account];
  room.turn = ++last_turn_;
  room.since = absl::InfiniteFuture();
  if (std::exchange(held_back_, false)) OfferRoom();
}

void WaitList::Remove(JobId job) {
  if (job == kept_for_) kept_for_ = JobId();
  const auto account = room_of_.find(job);
  if (account != room_of_.end()) {
    Room& room = for_room_[account->second];
    if (room.refused == job) room.since = absl::InfiniteFuture();
  }
  TakeOut(job);
}

void WaitList::TakeOut(JobId job) {
  awake_.erase(job);
  const auto room = room_of_.find(job);
  if (room != room_of_.end()) {
    for_room_[room->second].jobs.erase(job);
    room_of_.erase(room);
  }
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

WaitList::Rooms::const_iterator WaitList::NextForRoom() const {
  auto next = for_room_.end();
  for (auto it = for_room_.begin(); it != for_room_.end(); ++it) {
    const Room& room = it->second;
    if (room.jobs.empty() || room.refused_offer == offer_) continue;
    if (next == for_room_.end() || room.turn < next->second.turn) next = it;
  }
  return next;
}

std::optional<JobId> WaitList::Take() {
  std::optional<JobId> taken;
  if (!awake_.empty()) {
    taken = *awake_.begin();
  } else if (const auto next = NextForRoom(); next != for_room_.end()) {
    taken = *next->second.jobs.begin();
  }
  if (taken.has_value()) TakeOut(*taken);
  return taken;
}

bool WaitList::contains(JobId job) const {
  return awake_.contains(job) || room_of_.contains(job) ||
         waits_for_.contains(job);
}

bool WaitList::WaitsBehindOthers(JobId job, Account account) const {
  const auto room = for_room_.find(account);
  return room != for_room_.end() && !room->second.jobs.empty() &&
         *room->second.jobs.begin() < job;
}

std::vector<WaitList::Waiting> WaitList::WaitingForRoom() const {
  std::vector<Waiting> waiting;
  for (const auto& [account, room] : for_room_) {
    if (room.jobs.empty() || *room.jobs.begin() != room.refused ||
        room.since == absl::InfiniteFuture()) {
      continue;
    }
    waiting.push_back({room.refused, account, room.since});
  }
  return waiting;
}

bool WaitList::IsRoomKept(JobId job, Account account, absl::Time now) {
  if (job == kept_for_) return false;
  if (const auto kept_for = room_of_.find(kept_for_);
      kept_for != room_of_.end()) {
    // That one waits behind its account's earlier jobs: none of them waits for
    // it.
    if (kept_for->second == account) return false;
    if (for_room_.at(kept_for->second).since != absl::InfiniteFuture()) {
      held_back_ = true;
      return true;
    }
  }
  absl::Time own = absl::InfiniteFuture();
  const auto room = for_room_.find(account);
  if (room != for_room_.end() && room->second.refused == job) {
    own = room->second.since;
  }
  const bool kept =
      std::any_of(for_room_.begin(), for_room_.end(), [&](const auto& each) {
        const Room& other = each.second;
        return each.first != account && !other.jobs.empty() &&
               *other.jobs.begin() == other.refused && other.since < own &&
               now - other.since >= kPatience;
      });
  held_back_ = held_back_ || kept;
  return kept;
}

}  // namespace hydra
