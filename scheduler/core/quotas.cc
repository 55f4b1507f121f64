#include "scheduler/core/quotas.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status/quota_status.h"

namespace hydra {
namespace {

constexpr absl::Duration kWindow = absl::Minutes(1);

}  // namespace

const Quota& Quotas::QuotaOf(Account account) const {
  const auto own = options_.accounts.find(account);
  return own == options_.accounts.end() ? options_.each : own->second;
}

std::string Quotas::SubjectOf(Account account) {
  if (account == Account{}) return "user:unknown";
  return absl::StrCat("user:", account.number - 1);
}

absl::Status Quotas::CheckSubmission(Account account, int64_t jobs,
                                     absl::Time now) {
  const Quota& quota = QuotaOf(account);
  Use& use = UseOf(account);
  while (!use.submissions.empty() && now - use.submissions.front() >= kWindow) {
    use.submissions.pop_front();
  }
  if (quota.queued_jobs > 0 && use.open_jobs + jobs > quota.queued_jobs) {
    return QuotaExceeded(
        SubjectOf(account),
        absl::StrCat("you have ", use.open_jobs,
                     " jobs that have not ended, and these are ", jobs,
                     "; together you may have ", quota.queued_jobs,
                     " (quotas: queued_jobs); nothing was queued"),
        std::nullopt);
  }
  const auto recent = static_cast<int64_t>(use.submissions.size());
  if (quota.submissions_per_minute > 0 &&
      recent >= quota.submissions_per_minute) {
    return QuotaExceeded(
        SubjectOf(account),
        absl::StrCat("you submitted ", recent,
                     " times in the last minute, as often as you may (quotas: "
                     "submissions_per_minute); nothing was queued"),
        use.submissions[recent - quota.submissions_per_minute] + kWindow - now);
  }
  return absl::OkStatus();
}

void Quotas::NoteSubmitted(Account account, int64_t jobs, absl::Time now) {
  Use& use = UseOf(account);
  use.open_jobs += jobs;
  // No more of them are of use.
  if (QuotaOf(account).submissions_per_minute > 0) {
    use.submissions.push_back(now);
  }
}

void Quotas::NoteEnded(Account account, int64_t jobs) {
  UseOf(account).open_jobs -= jobs;
}

absl::Status Quotas::CheckRoom(Account account, int64_t bytes) const {
  const Quota& quota = QuotaOf(account);
  if (quota.pool_bytes > 0 && bytes > quota.pool_bytes) {
    return absl::FailedPreconditionError(
        absl::StrCat("it needs ", bytes,
                     " bytes of the pool, and all jobs of its user "
                     "together may have ",
                     quota.pool_bytes, " (quotas: pool_bytes)"));
  }
  const auto found = uses_.find(account);
  const Use use = found == uses_.end() ? Use() : found->second;
  if (quota.admitted_jobs > 0 && use.admitted_jobs >= quota.admitted_jobs) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "waits for another job of its user: ", use.admitted_jobs,
        " are in the pool, as many as may be (quotas: admitted_jobs)"));
  }
  if (quota.pool_bytes > 0 && use.pool_bytes + bytes > quota.pool_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("waits for other jobs of its user: it needs ", bytes,
                     " bytes of the pool, they have ", use.pool_bytes,
                     ", and together they may have ", quota.pool_bytes,
                     " (quotas: pool_bytes)"));
  }
  return absl::OkStatus();
}

void Quotas::NoteAdmitted(JobId job, Account account, int64_t bytes) {
  if (!admitted_.try_emplace(job, Place{account, bytes}).second) return;
  Use& use = UseOf(account);
  ++use.admitted_jobs;
  use.pool_bytes += bytes;
}

void Quotas::NoteLeft(JobId job) {
  const auto found = admitted_.find(job);
  if (found == admitted_.end()) return;
  Use& use = UseOf(found->second.account);
  --use.admitted_jobs;
  use.pool_bytes -= found->second.bytes;
  admitted_.erase(found);
}

int64_t Quotas::PoolBytesOf(Account account) const {
  const auto use = uses_.find(account);
  return use == uses_.end() ? 0 : use->second.pool_bytes;
}

std::vector<Account> Quotas::AccountsInPool() const {
  std::vector<Account> accounts;
  for (const auto& [account, use] : uses_) {
    if (use.admitted_jobs > 0) accounts.push_back(account);
  }
  std::sort(accounts.begin(), accounts.end());
  return accounts;
}

}  // namespace hydra
