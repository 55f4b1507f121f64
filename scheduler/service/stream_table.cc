#include "scheduler/service/stream_table.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "scheduler/runtime/refusals.h"

namespace hydra {

StreamTable::Slot::~Slot() {
  if (table_ != nullptr) table_->Close(place_);
}

absl::StatusOr<StreamTable::Slot> StreamTable::Open(
    const Caller& caller, std::function<void()> wake) {
  absl::MutexLock lock(&mu_);
  if (stopped_) return Stopping();
  int& own = counts_[caller];
  if (own >= limits_.for_each_user) {
    return TooMany(absl::StrCat("this user has ", own, " ", what_,
                                " open, and may have ", limits_.for_each_user,
                                ": end some first"));
  }
  if (streams_.size() >= static_cast<size_t>(limits_.total)) {
    if (own == 0) counts_.erase(caller);
    return TooMany(
        absl::StrCat("all users together have ", streams_.size(), " ", what_,
                     " open, and no more are possible: try again later"));
  }
  ++own;
  Slot slot;
  slot.table_ = this;
  slot.place_ = streams_.insert(streams_.end(), {caller, std::move(wake)});
  return slot;
}

void StreamTable::Close(std::list<Slot::Stream>::iterator place) {
  absl::MutexLock lock(&mu_);
  const auto own = counts_.find(place->caller);
  if (--own->second == 0) counts_.erase(own);
  streams_.erase(place);
}

void StreamTable::Stop() {
  absl::MutexLock lock(&mu_);
  if (stopped_.exchange(true)) return;
  for (const Slot::Stream& stream : streams_) {
    if (stream.wake) stream.wake();
  }
}

}  // namespace hydra
