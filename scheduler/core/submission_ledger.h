#ifndef HYDRA_SCHEDULER_CORE_SUBMISSION_LEDGER_H_
#define HYDRA_SCHEDULER_CORE_SUBMISSION_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "absl/status/status.h"
#include "common/ids/ids.h"
#include "scheduler/core/caller.h"

namespace hydra {

// What a submission is known by: an id that its caller chose.
struct RequestKey {
  // Empty: by nothing.
  std::string id;
  // SHA-256 of what is asked for. Empty: it is not known, and taken as the
  // same.
  std::string digest;
  // Whose id it is: another caller's is another one. None: a version that noted
  // no callers took it in, and it answers to all.
  std::optional<Caller> caller;
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

// The newest submissions by their callers and request ids, so that one that is
// repeated is answered as the first time. A client repeats within minutes; what
// is older than the last `most` submissions is forgotten. Not thread-safe.
class SubmissionLedger {
 public:
  explicit SubmissionLedger(size_t most) : most_(most) {}

  // None: it was never there, or is forgotten, or its id is empty.
  std::optional<Submission> Find(const RequestKey& request) const;

  // Nothing happens for an empty id, or one that is there.
  void Add(const RequestKey& request, const Submission& submission);

  // It came to nothing, and may come again.
  void Remove(const RequestKey& request);

 private:
  // Whether the caller is known, the caller, and the id.
  using Key = std::tuple<bool, Caller, std::string>;
  static Key KeyOf(const std::optional<Caller>& caller, const std::string& id) {
    return {caller.has_value(), caller.value_or(Caller()), id};
  }

  const size_t most_;
  std::map<Key, Submission> submissions_;
  std::deque<Key> oldest_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_SUBMISSION_LEDGER_H_
