#ifndef HYDRA_SCHEDULER_CORE_QUOTAS_H_
#define HYDRA_SCHEDULER_CORE_QUOTAS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/quota_options.h"
#include "scheduler/policy/account.h"

namespace hydra {

// What each account has, and whether it may have more. Since one thread asks
// and tells, in one turn, of many submissions at once no more are taken than
// there is room for. Pure bookkeeping: every call takes constant time. Not
// thread-safe.
class Quotas {
 public:
  explicit Quotas(QuotaOptions options) : options_(std::move(options)) {}

  // What accounts may have from now on. What they have already they keep.
  void SetOptions(QuotaOptions options) { options_ = std::move(options); }

  // Whether the account may submit so many jobs now.
  //
  // RESOURCE_EXHAUSTED: it may not; as QuotaExceeded, with the numbers.
  absl::Status CheckSubmission(Account account, int64_t jobs, absl::Time now);
  // It has submitted them.
  void NoteSubmitted(Account account, int64_t jobs, absl::Time now);
  // An earlier daemon took this job, which has not ended.
  void NoteOpen(Account account) { ++UseOf(account).open_jobs; }
  // So many of its jobs have ended, or came to nothing.
  void NoteEnded(Account account, int64_t jobs);

  // Whether a job of the account that needs so much may come into the pool.
  //
  // RESOURCE_EXHAUSTED: not before another one of the account has left it.
  // FAILED_PRECONDITION: never.
  absl::Status CheckRoom(Account account, int64_t bytes) const;
  // The job is in the pool; nothing changes if it is already.
  void NoteAdmitted(JobId job, Account account, int64_t bytes);
  // It is not any more, if it was.
  void NoteLeft(JobId job);

  // What the account's jobs in the pool need, together.
  int64_t PoolBytesOf(Account account) const;
  // By their numbers.
  std::vector<Account> AccountsInPool() const;

 private:
  struct Use {
    int64_t open_jobs = 0;
    int64_t admitted_jobs = 0;
    int64_t pool_bytes = 0;
    // When it submitted, in the last minute.
    std::deque<absl::Time> submissions;
  };
  struct Place {
    Account account;
    int64_t bytes = 0;
  };
  const Quota& QuotaOf(Account account) const;
  Use& UseOf(Account account) { return uses_[account]; }
  // For people: whose it is.
  static std::string SubjectOf(Account account);

  QuotaOptions options_;
  absl::flat_hash_map<Account, Use> uses_;
  absl::flat_hash_map<JobId, Place> admitted_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_QUOTAS_H_
