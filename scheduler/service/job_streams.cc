#include "scheduler/service/job_streams.h"

#include "common/clock/steady_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kLookForLines = absl::Milliseconds(100);
constexpr int64_t kLinesInAMessage = 1000;

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

LogStream::Step LogStream::Next(v1::StreamLogsResponse* response) {
  if (!next_.has_value()) {
    const absl::Status known = reader_->StatusOf(caller_, job_).status();
    if (!known.ok()) return End(known);
    next_ = tail_ == 0 ? 0 : logs_->TailStart(job_, tail_);
  }
  // Asked before the lines are read: none comes after the job has ended.
  const ReadModel::EntryPtr entry = model_->Find(job_);
  const bool ended = entry == nullptr || entry->ended;
  const LogStore::Page page = logs_->Read(job_, *next_, kLinesInAMessage);
  if (page.lines.empty()) {
    return ended || !follow_ ? End(absl::OkStatus()) : Wait(kLookForLines);
  }
  next_ = page.next;
  for (const LogStore::LinePtr& line : page.lines)
    *response->add_lines() = *line;
  response->set_dropped_lines(page.dropped);
  return Send();
}

}  // namespace hydra
