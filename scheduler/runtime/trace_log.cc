#include "scheduler/runtime/trace_log.h"

#include <algorithm>

namespace hydra {

template <typename T>
TraceLog::Page<T> TraceLog::PageOf(const Newest<T>& newest, uint64_t first) {
  Page<T> page;
  page.next = std::max(first, newest.first);
  const uint64_t end = newest.first + newest.entries.size();
  while (page.next < end && page.entries.size() < kMostInOneGo) {
    page.entries.push_back(newest.entries[page.next++ - newest.first]);
  }
  return page;
}

TraceLog::TraceLog(const Limit& limit, absl::Time begin)
    : limit_(limit), complete_since_(begin) {}

void TraceLog::Add(const TaskTrace& task) {
  absl::MutexLock lock(&mu_);
  tasks_.entries.push_back(task);
  if (tasks_.entries.size() <= limit_.tasks) return;
  complete_since_ = std::max(complete_since_, tasks_.entries.front().ended_at);
  tasks_.entries.pop_front();
  ++tasks_.first;
}

void TraceLog::Add(const DecisionTrace& decision) {
  absl::MutexLock lock(&mu_);
  decisions_.entries.push_back(decision);
  if (decisions_.entries.size() <= limit_.decisions) return;
  decisions_.entries.pop_front();
  ++decisions_.first;
}

TraceLog::Page<TaskTrace> TraceLog::Tasks(uint64_t first) const {
  absl::MutexLock lock(&mu_);
  return PageOf(tasks_, first);
}

TraceLog::Page<DecisionTrace> TraceLog::Decisions(uint64_t first) const {
  absl::MutexLock lock(&mu_);
  return PageOf(decisions_, first);
}

absl::Time TraceLog::complete_since() const {
  absl::MutexLock lock(&mu_);
  return complete_since_;
}

}  // namespace hydra
