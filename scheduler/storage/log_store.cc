#include "scheduler/storage/log_store.h"

#include <algorithm>
#include <utility>

namespace hydra {
namespace {

// Nobody follows the lines of a job that ended so many jobs ago.
constexpr size_t kMostForgotten = 100'000;

}  // namespace

void LogStore::Append(JobId job, const hydra::v1::LogLine& line) {
  LinePtr added = std::make_shared<hydra::v1::LogLine>(line);
  absl::MutexLock lock(&mu_);
  auto [found, is_new] = jobs_.try_emplace(job);
  Lines& kept = found->second;
  if (is_new) {
    kept.place = by_newest_line_.insert(by_newest_line_.end(), job);
    const auto before = forgotten_.extract(job);
    if (!before.empty()) kept.first = before.mapped();
  } else {
    by_newest_line_.splice(by_newest_line_.end(), by_newest_line_, kept.place);
  }
  kept.lines.push_back(std::move(added));
  kept.bytes += line.text().size();
  ++lines_;
  bytes_ += line.text().size();
  while (kept.size() > 1 &&
         (kept.size() > per_job_.lines || kept.bytes > per_job_.bytes)) {
    DropOldest(kept);
  }
  while (by_newest_line_.front() != job &&
         (lines_ > in_all_.lines || bytes_ > in_all_.bytes)) {
    ForgetQuietest();
  }
}

void LogStore::DropOldest(Lines& kept) {
  LinePtr& oldest = kept.lines[kept.skip];
  const int64_t bytes = oldest->text().size();
  oldest.reset();
  ++kept.skip;
  ++kept.first;
  // Half of them at a time, so that each is moved once at most.
  if (kept.skip > kept.lines.size() / 2) {
    kept.lines.erase(kept.lines.begin(), kept.lines.begin() + kept.skip);
    kept.skip = 0;
  }
  kept.bytes -= bytes;
  --lines_;
  bytes_ -= bytes;
}

void LogStore::ForgetQuietest() {
  const auto quietest = jobs_.find(by_newest_line_.front());
  const Lines& lost = quietest->second;
  forgotten_[quietest->first] = lost.end();
  if (forgotten_.size() > kMostForgotten) forgotten_.erase(forgotten_.begin());
  lines_ -= lost.size();
  bytes_ -= lost.bytes;
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
  const int64_t end = kept.end();
  const int64_t begin = std::max(from, kept.first);
  if (begin >= end) return page;
  page.dropped = begin - from;
  page.next = begin;
  for (int64_t bytes = 0; page.next < std::min(end, begin + most) &&
                          (bytes < kPageBytes || page.lines.empty());
       ++page.next) {
    page.lines.push_back(kept.at(page.next));
    bytes += page.lines.back()->text().size();
  }
  return page;
}

int64_t LogStore::TailStart(JobId job, int64_t count) const {
  absl::MutexLock lock(&mu_);
  auto found = jobs_.find(job);
  if (found != jobs_.end()) {
    return std::max(found->second.first, found->second.end() - count);
  }
  auto forgotten = forgotten_.find(job);
  return forgotten == forgotten_.end() ? 0 : forgotten->second;
}

}  // namespace hydra
