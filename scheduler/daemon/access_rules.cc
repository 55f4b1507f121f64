#include "scheduler/daemon/access_rules.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/account_entry.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "scheduler/service/accounts.h"

namespace hydra {
namespace {

constexpr char kDefaultOperators[] = "hydra-admin";

using Entries = google::protobuf::RepeatedPtrField<std::string>;

absl::Status AddEntry(const std::string& text, Accounts& accounts) {
  const std::optional<AccountEntry> entry = ParseAccountEntry(text);
  if (!entry.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("found ", Quoted(text), ", which names nobody"));
  }
  if (entry->is_group) {
    const absl::StatusOr<gid_t> group = FindGroup(entry->name);
    if (!group.ok()) return group.status();
    accounts.groups.insert(*group);
  } else {
    const absl::StatusOr<uid_t> user = FindUser(entry->name);
    if (!user.ok()) return user.status();
    accounts.users.insert(*user);
  }
  return absl::OkStatus();
}

absl::StatusOr<Accounts> AccountsOf(const char* field, const Entries& entries) {
  Accounts accounts;
  for (int i = 0; i < entries.size(); ++i) {
    const absl::Status added = AddEntry(entries[i], accounts);
    if (added.ok()) continue;
    const std::string message =
        absl::StrCat(field, "[", i, "]: ", added.message());
    return absl::IsUnavailable(added) ? absl::UnavailableError(message)
                                      : absl::InvalidArgumentError(message);
  }
  return accounts;
}

void AddDefaultOperators(Accounts& operators) {
  const absl::StatusOr<gid_t> group = FindGroup(kDefaultOperators);
  if (group.ok()) {
    operators.groups.insert(*group);
  } else if (!absl::IsNotFound(group.status())) {
    LOG(WARNING) << "until the next start only root and hydrad's own user are "
                    "operators, since one "
                 << group.status().message();
  }
}

}  // namespace

absl::StatusOr<AccessPolicy> AccessOf(const config::v1::DaemonConfig& config) {
  AccessPolicy::Rules rules;
  if (!config.allow().empty()) {
    absl::StatusOr<Accounts> allowed = AccountsOf("allow", config.allow());
    if (!allowed.ok()) return allowed.status();
    rules.allowed = *std::move(allowed);
    rules.allowed_text = absl::StrJoin(config.allow(), ", ");
    for (const std::string& text : config.allow()) {
      const std::optional<AccountEntry> entry = ParseAccountEntry(text);
      if (!entry.has_value() || !entry->is_group) continue;
      rules.allowed_group = entry->name;
      break;
    }
  }
  absl::StatusOr<Accounts> operators =
      AccountsOf("operators", config.operators());
  if (!operators.ok()) return operators.status();
  rules.operators = *std::move(operators);
  if (config.operators().empty()) AddDefaultOperators(rules.operators);
  rules.operators.users.insert(0);
  rules.operators.users.insert(geteuid());
  rules.private_jobs = config.private_jobs();
  return AccessPolicy(std::move(rules));
}

}  // namespace hydra
