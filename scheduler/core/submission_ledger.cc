#include "scheduler/core/submission_ledger.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/status/error_details.h"

namespace hydra {

absl::Status CheckRepeats(const Submission& first, const RequestKey& again) {
  if (first.digest.empty() || again.digest.empty() ||
      first.digest == again.digest) {
    return absl::OkStatus();
  }
  return WithReason(
      absl::AlreadyExistsError(absl::StrCat(
          "request_id: the same one came before with another job or grid, "
          "which is sweep s",
          first.sweep.value(),
          "; nothing was queued; each submission needs a request_id of its "
          "own")),
      kRequestIdReused);
}

std::optional<Submission> SubmissionLedger::Find(
    const RequestKey& request) const {
  auto found = submissions_.find(KeyOf(request.caller, request.id));
  if (found == submissions_.end()) {
    found = submissions_.find(KeyOf(std::nullopt, request.id));
  }
  if (found == submissions_.end()) return std::nullopt;
  return found->second;
}

void SubmissionLedger::Add(const RequestKey& request,
                           const Submission& submission) {
  if (request.id.empty()) return;
  const Key key = KeyOf(request.caller, request.id);
  if (!submissions_.emplace(key, submission).second) return;
  oldest_.push_back(key);
  while (oldest_.size() > most_) {
    submissions_.erase(oldest_.front());
    oldest_.pop_front();
  }
}

void SubmissionLedger::Remove(const RequestKey& request) {
  const Key key = KeyOf(request.caller, request.id);
  if (submissions_.erase(key) == 0) return;
  // Few are refused, and these are the newest.
  for (auto old = oldest_.rbegin(); old != oldest_.rend(); ++old) {
    if (*old != key) continue;
    oldest_.erase(std::next(old).base());
    return;
  }
}

}  // namespace hydra
