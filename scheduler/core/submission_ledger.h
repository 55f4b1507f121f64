#ifndef HYDRA_SCHEDULER_CORE_SUBMISSION_LEDGER_H_
#define HYDRA_SCHEDULER_CORE_SUBMISSION_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/ids/ids.h"

namespace hydra {

// What a submission is known by.
struct RequestKey {
  // Empty: by nothing.
  std::string id;
  // SHA-256 of what is asked for. Empty: it is not known, and taken as the
  // same.
  std::string digest;
};

// What a submission was answered with.
struct Submission {
  SweepId sweep;
  // The jobs are there once the journal has recorded this much.
  uint64_t sequence = 0;
  // As RequestKey's.
  std::string digest;
};

// ALREADY_EXISTS: the id of `first` is used again for something else.
absl::Status CheckRepeats(const Submission& first, const RequestKey& again);

// The newest submissions by their request ids, so that one that is repeated is
// answered as the first time. A client repeats within minutes; what is older
// than the last `most` submissions is forgotten. Not thread-safe.
class SubmissionLedger {
 public:
  explicit SubmissionLedger(size_t most) : most_(most) {}

  // None: it was never there, or is forgotten, or `request_id` is empty.
  std::optional<Submission> Find(const std::string& request_id) const {
    const auto found = submissions_.find(request_id);
    if (found == submissions_.end()) return std::nullopt;
    return found->second;
  }

  // Nothing happens for an empty id, or one that is there.
  void Add(const std::string& request_id, const Submission& submission) {
    if (request_id.empty()) return;
    if (!submissions_.emplace(request_id, submission).second) return;
    oldest_.push_back(request_id);
    while (oldest_.size() > most_) {
      submissions_.erase(oldest_.front());
      oldest_.pop_front();
    }
  }

  // It came to nothing, and may come again.
  void Remove(const std::string& request_id) {
    if (submissions_.erase(request_id) == 0) return;
    // Few are refused, and these are the newest.
    for (auto id = oldest_.rbegin(); id != oldest_.rend(); ++id) {
      if (*id != request_id) continue;
      oldest_.erase(std::next(id).base());
      return;
    }
  }

 private:
  const size_t most_;
  absl::flat_hash_map<std::string, Submission> submissions_;
  std::deque<std::string> oldest_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_SUBMISSION_LEDGER_H_
