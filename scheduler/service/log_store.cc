#include "scheduler/service/log_store.h"

#include <algorithm>

namespace hydra {

void LogStore::Append(JobId job, const hydra::v1::LogLine& line) {
  absl::MutexLock lock(&mu_);
  auto [found, is_new] = jobs_.try_emplace(job);
  Lines& kept = found->second;
  if (is_new) {
    kept.place = by_newest_line_.insert(by_newest_line_.end(), job);
  } else {
    by_newest_line_.splice(by_newest_line_.end(), by_newest_line_, kept.place);
  }
  kept.lines.push_back(line);
  ++lines_;
  if (kept.lines.size() > lines_per_job_) {
    kept.lines.pop_front();
    ++kept.first;
    --lines_;
  }
  if (lines_ > lines_in_all_ && by_newest_line_.front() != job) {
    ForgetQuietest();
  }
}

void LogStore::ForgetQuietest() {
  const auto quietest = jobs_.find(by_newest_line_.front());
  lines_ -= quietest->second.lines.size();
  jobs_.erase(quietest);
  by_newest_line_.pop_front();
}

void LogStore::CountDropped(JobId job, int64_t count) {
  hydra::v1::LogLine line;
  line.set_severity("W");
  line.set_source("hydrad");
  line.set_step(-1);
  line.set_text(std::to_string(count) + " lines were lost here");
  Append(job, line);
}

LogStore::Page LogStore::Read(JobId job, int64_t from, int64_t most) const {
  absl::MutexLock lock(&mu_);
  Page page;
  page.next = from;
  auto found = jobs_.find(job);
  if (found == jobs_.end()) return page;
  const Lines& kept = found->second;
  const int64_t end = kept.first + kept.lines.size();
  // A reader that is ahead of a job saw lines that are forgotten.
  if (from > end) from = 0;
  const int64_t begin = std::max(from, kept.first);
  if (begin >= end) return page;
  page.dropped = begin - from;
  page.next = std::min(end, begin + most);
  page.lines.assign(kept.lines.begin() + (begin - kept.first),
                    kept.lines.begin() + (page.next - kept.first));
  return page;
}

int64_t LogStore::TailStart(JobId job, int64_t count) const {
  absl::MutexLock lock(&mu_);
  auto found = jobs_.find(job);
  if (found == jobs_.end()) return 0;
  const int64_t end = found->second.first + found->second.lines.size();
  return std::max(found->second.first, end - count);
}

}  // namespace hydra
