#include "scheduler/core/sent_contexts.h"

#include <algorithm>

namespace hydra {

uint64_t SentContexts::Need(JobId job, const std::string& content,
                            uint64_t* last_number) {
  Entry& entry = by_job_[job];
  if (entry.number == 0 || entry.content != content) {
    entry.number = ++*last_number;
    entry.content = content;
    entry.reported = false;
  }
  entry.needed_in = message_;
  return entry.number;
}

bool SentContexts::Has(JobId job) const {
  const auto found = by_job_.find(job);
  return found != by_job_.end() && found->second.reported;
}

std::vector<uint64_t> SentContexts::EndMessage() {
  while (by_job_.size() > kKept) {
    const auto oldest = std::min_element(
        by_job_.begin(), by_job_.end(), [](const auto& a, const auto& b) {
          return a.second.needed_in < b.second.needed_in;
        });
    if (oldest->second.needed_in == message_) break;
    by_job_.erase(oldest);
  }
  ++message_;
  std::vector<uint64_t> numbers;
  for (const auto& [job, entry] : by_job_) numbers.push_back(entry.number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<JobId> SentContexts::Jobs() const {
  std::vector<JobId> jobs;
  for (const auto& [job, entry] : by_job_) jobs.push_back(job);
  return jobs;
}

void SentContexts::Reported(absl::Span<const uint64_t> numbers) {
  for (auto& [job, entry] : by_job_) {
    entry.reported = std::find(numbers.begin(), numbers.end(), entry.number) !=
                     numbers.end();
  }
}

}  // namespace hydra
