#include "scheduler/journal/group_commit.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/failpoint/fail_point.h"
#include "glog/logging.h"
#include "scheduler/journal/record_change.h"

namespace hydra {

using hydra::journal::v1::Change;

GroupCommit::GroupCommit(RecordStore* store, SequenceRecord sequence_record,
                         Callbacks callbacks, absl::Duration retry_pause)
    : store_(store),
      sequence_record_(sequence_record),
      callbacks_(std::move(callbacks)),
      retry_pause_(retry_pause),
      thread_([this] { Loop(); }) {}

GroupCommit::~GroupCommit() { Stop(); }

void GroupCommit::Enqueue(Entry entry) {
  absl::MutexLock lock(&mu_);
  if (!stopping_) queue_.push_back(std::move(entry));
}

absl::Status GroupCommit::health() const {
  absl::MutexLock lock(&mu_);
  return health_;
}

bool GroupCommit::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
  return taken_.entries.empty();
}

void GroupCommit::Loop() {
  absl::Status written;
  bool go_on = true;
  while (go_on) {
    go_on = Take();
    // Only Stop wakes a healthy store without work.
    if (taken_.entries.empty() && written.ok()) break;
    written = Write();
    // The others may fit without the refused ones, and it should be known at
    // once whether the store can be written at all.
    if (!written.ok() && RefuseRefusable(written)) written = Write();
    SetHealth(written);
    TellRecorded();
    if (!written.ok()) stop_.WaitFor(retry_pause_);
  }
  LOG_IF(ERROR, !taken_.entries.empty())
      << taken_.entries.size() << " entries, sequences "
      << taken_.entries.front().sequence << " to "
      << taken_.entries.back().sequence
      << ", could not be written before the end: " << health();
}

bool GroupCommit::Take() {
  absl::MutexLock lock(&mu_);
  auto something_to_do = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopping_ || !queue_.empty() || !health_.ok();
  };
  mu_.Await(absl::Condition(&something_to_do));
  if (!queue_.empty()) taken_.last = queue_.back().sequence;
  std::move(queue_.begin(), queue_.end(), std::back_inserter(taken_.entries));
  queue_.clear();
  return !stopping_;
}

// Without entries it still tries the store, with the sequence record.
absl::Status GroupCommit::Write() {
  std::vector<Change> changes;
  for (const Entry& entry : taken_.entries) {
    changes.insert(changes.end(), entry.changes.begin(), entry.changes.end());
  }
  changes.push_back(MakePut(sequence_record_.table, sequence_record_.a,
                            sequence_record_.b, absl::StrCat(taken_.last)));
  FailPoint("daemon.before_group_commit");
  absl::Status applied = store_->Apply(changes);
  if (!applied.ok()) return applied;
  taken_.entries.clear();
  if (callbacks_.applied != nullptr) callbacks_.applied(changes);
  return applied;
}

bool GroupCommit::RefuseRefusable(const absl::Status& error) {
  std::deque<Entry> kept;
  bool refused = false;
  for (Entry& entry : taken_.entries) {
    if (entry.refusable) {
      refused = true;
      callbacks_.refused(entry.sequence, error);
    } else {
      kept.push_back(std::move(entry));
    }
  }
  taken_.entries = std::move(kept);
  return refused;
}

void GroupCommit::SetHealth(const absl::Status& status) {
  absl::MutexLock lock(&mu_);
  if (health_.ok() != status.ok()) {
    LOG_IF(ERROR, !status.ok())
        << "the journal cannot be written, trying "
        << "again every " << retry_pause_ << ": " << status;
    LOG_IF(INFO, status.ok()) << "the journal can be written again";
  }
  health_ = status;
}

void GroupCommit::TellRecorded() {
  const uint64_t up_to = taken_.entries.empty()
                             ? taken_.last
                             : taken_.entries.front().sequence - 1;
  if (up_to <= last_recorded_) return;
  last_recorded_ = up_to;
  callbacks_.recorded(up_to);
}

}  // namespace hydra
