#include "scheduler/service/account_names.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kPatience = absl::Milliseconds(200);
constexpr absl::Duration kLookAgainAfter = absl::Minutes(1);

}  // namespace

AccountNames::AccountNames(std::function<std::string(uid_t)> look_up)
    : look_up_(std::move(look_up)) {}

std::string AccountNames::Of(uid_t user) {
  const absl::Time now = SteadyNow();
  absl::MutexLock lock(&mu_);
  auto [found, is_new] = known_.try_emplace(user);
  if (is_new || found->second.look_again_at <= now) {
    found->second.look_again_at = absl::InfiniteFuture();
    thread_.Add([this, user] {
      std::string name = look_up_(user);
      absl::MutexLock lock(&mu_);
      Known& known = known_[user];
      known.is_known = true;
      known.name = std::move(name);
      if (known.name.empty()) {
        known.look_again_at = SteadyNow() + kLookAgainAfter;
      }
    });
    const auto is_known = [this, user]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return known_[user].is_known;
    };
    mu_.AwaitWithTimeout(absl::Condition(&is_known), kPatience);
  }
  // Others may have moved it.
  const std::string& name = known_[user].name;
  return name.empty() ? absl::StrCat(user) : name;
}

}  // namespace hydra
