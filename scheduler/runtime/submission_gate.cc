#include "scheduler/runtime/submission_gate.h"

#include <algorithm>

#include "scheduler/runtime/refusals.h"

namespace hydra {
namespace {

// More than wait at a time.
constexpr size_t kKeptRefusals = 1000;

}  // namespace

void SubmissionGate::Recorded(uint64_t up_to) {
  absl::MutexLock lock(&mu_);
  recorded_ = std::max(recorded_, up_to);
}

void SubmissionGate::Refused(uint64_t sequence, const absl::Status& why) {
  absl::MutexLock lock(&mu_);
  refused_[sequence] = CannotRecord(why);
  if (refused_.size() > kKeptRefusals) refused_.erase(refused_.begin());
}

void SubmissionGate::Stop() {
  absl::MutexLock lock(&mu_);
  stopped_ = true;
}

absl::Status SubmissionGate::Await(uint64_t sequence) {
  absl::MutexLock lock(&mu_);
  auto decided = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return recorded_ >= sequence || refused_.contains(sequence) || stopped_;
  };
  mu_.Await(absl::Condition(&decided));
  auto refused = refused_.find(sequence);
  if (refused != refused_.end()) return refused->second;
  if (recorded_ >= sequence) return absl::OkStatus();
  return Stopping();
}

}  // namespace hydra
