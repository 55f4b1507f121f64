#include "scheduler/notify/notice_finder.h"

#include <map>
#include <utility>

namespace hydra {

std::optional<Notice::Event> EventOf(const ReadModel::Entry& entry) {
  switch (entry.state) {
    case v1::JOB_STATE_COMPLETED:
      return Notice::Event::kCompleted;
    case v1::JOB_STATE_FAILED:
      return Notice::Event::kFailed;
    case v1::JOB_STATE_CANCELLED:
      return Notice::Event::kCancelled;
    case v1::JOB_STATE_PAUSED:
      if (entry.is_held) return Notice::Event::kPaused;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::vector<Notice> NoticeFinder::Find() {
  std::vector<Notice> notices;
  // By sweep, the newest of its jobs that have just ended.
  std::map<SweepId, ReadModel::EntryPtr> newest;
  const auto note = [&](const ReadModel::EntryPtr& entry) {
    const std::optional<Notice::Event> event = EventOf(*entry);
    if (!event.has_value()) return;
    Notice notice;
    notice.event = *event;
    notice.job = entry->Status();
    notices.push_back(std::move(notice));
    if (*event != Notice::Event::kPaused) newest[entry->sweep] = entry;
  };
  for (JobId job : std::exchange(just_changed_, {})) {
    const ReadModel::EntryPtr entry = model_->Find(job);
    // One that has changed since is found below.
    if (entry != nullptr && entry->state_revision <= revision_) note(entry);
  }
  const uint64_t before = revision_;
  while (true) {
    const std::vector<ReadModel::EntryPtr> entries =
        model_->ChangedAfter(revision_);
    for (const ReadModel::EntryPtr& entry : entries) {
      revision_ = entry->revision;
      if (entry->state_revision > before) note(entry);
    }
    if (entries.size() < ReadModel::kMostEntries) break;
  }
  for (const auto& [sweep, entry] : newest) NoteSweep(*entry, notices);
  return notices;
}

void NoticeFinder::NoteSweep(const ReadModel::Entry& newest,
                             std::vector<Notice>& notices) const {
  Notice notice;
  notice.event = Notice::Event::kSweepEnded;
  for (JobId job : model_->JobsOf(newest.sweep)) {
    const ReadModel::EntryPtr entry = model_->Find(job);
    if (entry == nullptr) continue;
    // It is yet to come.
    if (entry->state_revision > newest.state_revision) return;
    const std::optional<Notice::Event> event = EventOf(*entry);
    if (event == Notice::Event::kCompleted) {
      ++notice.completed;
    } else if (event == Notice::Event::kFailed) {
      ++notice.failed;
    } else if (event == Notice::Event::kCancelled) {
      ++notice.cancelled;
    } else {
      return;
    }
  }
  notice.job = newest.Status();
  notices.push_back(std::move(notice));
}

}  // namespace hydra
