#include "scheduler/service/watch_cursor.h"

#include <algorithm>

namespace hydra {

bool WatchCursor::IsOf(const ReadModel::Entry& entry) const {
  if (const JobId* job = std::get_if<JobId>(&target_)) return entry.job == *job;
  if (const SweepId* sweep = std::get_if<SweepId>(&target_)) {
    return entry.sweep == *sweep;
  }
  return true;
}

ReadModel::SweepState WatchCursor::TargetState() const {
  if (const JobId* job = std::get_if<JobId>(&target_)) {
    const ReadModel::EntryPtr entry = model_->Find(*job);
    return {entry != nullptr, entry != nullptr && entry->ended};
  }
  if (const SweepId* sweep = std::get_if<SweepId>(&target_)) {
    return model_->StateOf(*sweep);
  }
  return {/*known=*/true, /*all_ended=*/false};
}

absl::StatusOr<WatchCursor::State> WatchCursor::Next(
    v1::WatchResponse* response) {
  if (!may_read_) {
    const absl::Status may = reader_->Check(caller_, target_, Right::kRead);
    if (!may.ok()) return may;
    may_read_ = true;
  }
  if (old_.has_value()) return NextOfOld(response);
  if (!listed_) return NextOfList(response);
  return NextChanges(response);
}

absl::StatusOr<WatchCursor::State> WatchCursor::NextOfList(
    v1::WatchResponse* response) {
  if (!TargetState().known) return NextOfOld(response);
  // What changes while the list is read is told after it.
  if (!began_) told_until_ = revision_ = model_->revision();
  began_ = true;
  if (const JobId* job = std::get_if<JobId>(&target_)) {
    listed_ = true;
    const ReadModel::EntryPtr entry = model_->Find(*job);
    if (entry == nullptr) return NextOfOld(response);
    Add(*entry, response);
    return entry->ended ? State::kEnded : State::kCaughtUp;
  }
  const SweepId* sweep = std::get_if<SweepId>(&target_);
  const std::vector<ReadModel::EntryPtr> some = model_->After(
      listed_until_,
      sweep == nullptr ? std::nullopt : std::optional<SweepId>(*sweep));
  for (const ReadModel::EntryPtr& entry : some) {
    Add(*entry, response);
    listed_until_ = {entry->sweep, entry->job};
  }
  if (some.size() == ReadModel::kMostEntries) return State::kMore;
  listed_ = true;
  return TargetState().all_ended ? State::kMore : State::kCaughtUp;
}

absl::StatusOr<WatchCursor::State> WatchCursor::NextChanges(
    v1::WatchResponse* response) {
  // Asked first: no change comes after the end.
  const ReadModel::SweepState target = TargetState();
  if (!target.known) return NextOfOld(response);
  const std::vector<ReadModel::EntryPtr> changed =
      model_->ChangedAfter(revision_);
  for (const ReadModel::EntryPtr& entry : changed) {
    revision_ = entry->revision;
    // When others' jobs get on is not told, as long as their states stay.
    if (!IsOf(*entry) || (entry->state_revision <= told_until_ &&
                          !reader_->MayRead(caller_, *entry))) {
      continue;
    }
    Add(*entry, response);
  }
  if (changed.size() == ReadModel::kMostEntries) return State::kMore;
  told_until_ = revision_;
  return target.all_ended ? State::kEnded : State::kCaughtUp;
}

void WatchCursor::Add(const ReadModel::Entry& entry,
                      v1::WatchResponse* response) const {
  std::optional<v1::JobStatus> shown = reader_->Shown(caller_, entry);
  if (shown.has_value()) *response->add_jobs() = *std::move(shown);
}

// What was told of them before may not have been their end: all are told again.
absl::StatusOr<WatchCursor::State> WatchCursor::NextOfOld(
    v1::WatchResponse* response) {
  if (!old_.has_value()) {
    absl::StatusOr<std::vector<JobId>> jobs =
        reader_->JobsOf(caller_, target_, Right::kRead);
    if (!jobs.ok()) return jobs.status();
    old_ = *std::move(jobs);
  }
  const size_t end =
      std::min(old_->size(), old_sent_ + ReadModel::kMostEntries);
  for (; old_sent_ < end; ++old_sent_) {
    absl::StatusOr<v1::JobStatus> status =
        reader_->StatusOf(caller_, (*old_)[old_sent_]);
    if (!status.ok()) return status.status();
    *response->add_jobs() = *std::move(status);
  }
  return old_sent_ < old_->size() ? State::kMore : State::kEnded;
}

}  // namespace hydra
