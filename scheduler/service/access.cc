#include "scheduler/service/access.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr Answer kYes = Answer::kAllowed;
constexpr Answer kNo = Answer::kForbidden;

// By Role, then by Right.
constexpr Answer kAnswers[4][5] = {
    // see, read, download, pause, cancel
    {kYes, kYes, kYes, kYes, kYes},  // owner
    {kYes, kYes, kYes, kYes, kNo},   // member of the project
    {kYes, kYes, kYes, kYes, kYes},  // operator
    {kYes, kNo, kNo, kNo, kNo},      // anybody else
};

// "paused and resumed".
const char* DoneBy(Right right) {
  switch (right) {
    case Right::kSee:
    case Right::kRead:
      return "read";
    case Right::kDownload:
      return "downloaded";
    case Right::kPause:
      return "paused and resumed";
    case Right::kCancel:
      return "cancelled, deleted or given another priority";
  }
  return "";
}

}  // namespace

Answer Decide(Role role, Right right, bool private_jobs) {
  if (role == Role::kOther && private_jobs) return Answer::kHidden;
  return kAnswers[static_cast<int>(role)][static_cast<int>(right)];
}

bool Accounts::Has(const Caller& caller) const {
  if (caller.user == kUnknownUser) return false;
  if (users.contains(caller.user)) return true;
  return caller.groups != nullptr &&
         std::any_of(caller.groups->begin(), caller.groups->end(),
                     [&](gid_t group) { return groups.contains(group); });
}

AccessPolicy::AccessPolicy(Rules rules) : current_(new Current) {
  absl::MutexLock lock(&current_->mu);
  current_->rules = std::make_shared<const Rules>(std::move(rules));
}

void AccessPolicy::TakeRulesOf(const AccessPolicy& other) {
  std::shared_ptr<const Rules> rules = other.rules();
  absl::MutexLock lock(&current_->mu);
  current_->rules = std::move(rules);
}

std::shared_ptr<const AccessPolicy::Rules> AccessPolicy::rules() const {
  absl::MutexLock lock(&current_->mu);
  return current_->rules;
}

bool AccessPolicy::MayEnter(const Caller& caller) const {
  const std::shared_ptr<const Rules> now = rules();
  return !now->allowed.has_value() || now->allowed->Has(caller) ||
         now->operators.Has(caller);
}

absl::Status AccessPolicy::NotForYou(const Caller& caller,
                                     absl::string_view user_name) const {
  const std::shared_ptr<const Rules> now = rules();
  const std::string remedy =
      caller == Caller()
          ? "Nobody can tell who you are, who come by TCP: use a unix socket"
      : now->allowed_group.empty()
          ? absl::StrCat("Ask whoever administers it to add ", user_name,
                         " to allow in its configuration")
          : absl::StrCat("Ask for: sudo usermod -aG ", now->allowed_group, " ",
                         user_name, ", then log in again");
  return absl::PermissionDeniedError(
      absl::StrCat("you may not use this server: it is for ", now->allowed_text,
                   ". ", remedy));
}

Role AccessPolicy::RoleOf(const Caller& caller, const Ownership& job) const {
  if (job.owner == Caller() || caller == job.owner) return Role::kOwner;
  if (IsOperator(caller)) return Role::kOperator;
  if (job.project_group.has_value() && caller.is_in(*job.project_group)) {
    return Role::kMember;
  }
  return Role::kOther;
}

absl::Status NotYours(absl::string_view target, absl::string_view owner,
                      Right right) {
  return absl::PermissionDeniedError(absl::StrCat(
      target, " is ", owner, "'s, and can be ", DoneBy(right),
      right == Right::kCancel
          ? " by its owner and by operators alone"
          : " by its owner, the members of its project and operators alone"));
}

}  // namespace hydra
