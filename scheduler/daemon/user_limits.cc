#include "scheduler/daemon/user_limits.h"

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/core/account_of.h"
#include "scheduler/service/accounts.h"

namespace hydra {
namespace {

using config::v1::DaemonConfig;
using config::v1::QuotaConfig;

absl::StatusOr<Account> AccountAt(const std::string& field,
                                  const std::string& name) {
  const absl::StatusOr<uid_t> user = FindUser(name);
  if (!user.ok()) {
    const std::string message =
        absl::StrCat(field, ": ", user.status().message());
    return absl::IsUnavailable(user.status())
               ? absl::UnavailableError(message)
               : absl::InvalidArgumentError(message);
  }
  return AccountOf(Caller{*user});
}

// What `own` does not say is as in `each`.
Quota QuotaFrom(const QuotaConfig& own, const QuotaConfig& each) {
  QuotaConfig whole = each;
  whole.MergeFrom(own);
  Quota quota;
  quota.queued_jobs = whole.queued_jobs();
  quota.admitted_jobs = whole.admitted_jobs();
  quota.pool_bytes = whole.pool_bytes();
  quota.submissions_per_minute = whole.submissions_per_minute();
  return quota;
}

}  // namespace

absl::StatusOr<ShareOptions> SharesOf(const DaemonConfig& config) {
  ShareOptions shares;
  if (config.shares().has_half_life_hours()) {
    shares.half_life = absl::Hours(config.shares().half_life_hours());
  }
  for (int i = 0; i < config.shares().users_size(); ++i) {
    const config::v1::UserShareConfig& user = config.shares().users(i);
    const absl::StatusOr<Account> account =
        AccountAt(absl::StrCat("shares.users[", i, "].name"), user.name());
    if (!account.ok()) return account.status();
    shares.weights[*account] = user.weight();
  }
  return shares;
}

absl::StatusOr<QuotaOptions> QuotasOf(const DaemonConfig& config) {
  QuotaOptions quotas;
  const QuotaConfig& each = config.quotas().each_user();
  quotas.each = QuotaFrom({}, each);
  for (int i = 0; i < config.quotas().users_size(); ++i) {
    const config::v1::UserQuotaConfig& user = config.quotas().users(i);
    const absl::StatusOr<Account> account =
        AccountAt(absl::StrCat("quotas.users[", i, "].name"), user.name());
    if (!account.ok()) return account.status();
    quotas.accounts[*account] = QuotaFrom(user.quota(), each);
  }
  return quotas;
}

}  // namespace hydra
