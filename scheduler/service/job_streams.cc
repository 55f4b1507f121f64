#include "scheduler/service/job_streams.h"

#include <algorithm>

#include "common/clock/steady_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kLookForLines = absl::Milliseconds(100);
// For those that are just written.
constexpr absl::Duration kWaitForLines = absl::Milliseconds(5);
// A job that writes all the time is not waited for any longer.
constexpr int kMostLooks = 200;

}  // namespace

WatchStream::Step WatchStream::Next(v1::WatchResponse* response) {
  if (ended_) return End(absl::OkStatus());
  const absl::Time now = SteadyNow();
  if (now < next_at_) return Wait(next_at_ - now);
  const absl::StatusOr<WatchCursor::State> state = cursor_.Next(response);
  if (!state.ok()) return End(state.status());
  ended_ = *state == WatchCursor::State::kEnded;
  if (*state != WatchCursor::State::kMore) next_at_ = now + interval_;
  const ReadModel::Workers workers = model_->workers();
  if (sent_any_ && response->jobs().empty() &&
      workers.revision == workers_sent_) {
    if (ended_) return End(absl::OkStatus());
    return Wait(*state == WatchCursor::State::kMore ? absl::ZeroDuration()
                                                    : interval_);
  }
  const auto shown = reader_->WorkersFor(caller_, *workers.statuses);
  response->mutable_workers()->Assign(shown.begin(), shown.end());
  workers_sent_ = workers.revision;
  sent_any_ = true;
  return Send();
}

LogStore::Cursor LogStream::FirstLine() const {
  LogStore::Cursor cursor;
  if (after_ > 0) {
    // No client can have seen more, unless the machine lost it.
    cursor.next = std::min(after_, logs_->End(job_) - 1) + 1;
  } else if (tail_ > 0) {
    cursor.next = logs_->TailStart(job_, tail_);
  }
  return cursor;
}

LogStream::Step LogStream::Next(v1::StreamLogsResponse* response) {
  if (!cursor_.has_value()) {
    const absl::Status known = reader_->StatusOf(caller_, job_).status();
    if (!known.ok()) return End(known);
    // A tail is of all that it had when it was asked for.
    if (logs_->IsBusyWith(job_) && ++looks_ < kMostLooks) {
      return Wait(kWaitForLines);
    }
    cursor_ = FirstLine();
    if (!follow_) end_ = logs_->End(job_);
  }
  // Asked before the lines are read: none comes after the job has ended.
  const ReadModel::EntryPtr entry = model_->Find(job_);
  const bool ended = entry == nullptr || entry->ended;
  const bool is_busy = logs_->IsBusyWith(job_);
  const bool is_all = cursor_->next >= end_;
  const LogStore::Page page = logs_->Read(job_, *cursor_);
  if (page.lines.empty() && page.dropped == 0 && !page.trouble.ok()) {
    return End(page.trouble);
  }
  if (is_all) return End(absl::OkStatus());
  if (page.lines.empty() && page.dropped == 0) {
    if (is_busy) return Wait(kWaitForLines);
    return ended || !follow_ ? End(absl::OkStatus()) : Wait(kLookForLines);
  }
  for (const LogPiece::LinePtr& line : page.lines) {
    if (line->sequence() < end_) *response->add_lines() = *line;
  }
  response->set_dropped_lines(page.dropped);
  return Send();
}

}  // namespace hydra
