#ifndef HYDRA_SCHEDULER_CORE_ACCOUNT_OF_H_
#define HYDRA_SCHEDULER_CORE_ACCOUNT_OF_H_

#include <sys/types.h>

#include <cstdint>

#include "scheduler/core/caller.h"
#include "scheduler/policy/account.h"

namespace hydra {

// The account of a user: all that he submits counts to it. Those whom the
// kernel does not name have one together.
inline Account AccountOf(const Caller& caller) {
  if (caller == Caller()) return Account{};
  return Account{uint64_t{caller.user} + 1};
}

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ACCOUNT_OF_H_
