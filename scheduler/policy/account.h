#ifndef HYDRA_SCHEDULER_POLICY_ACCOUNT_H_
#define HYDRA_SCHEDULER_POLICY_ACCOUNT_H_

#include <cstdint>
#include <utility>

namespace hydra {

// Who a job's device time is counted to: those who share the devices. A value.
// What the number stands for, account_of.h says.
struct Account {
  uint64_t number = 0;

  friend bool operator==(Account a, Account b) { return a.number == b.number; }
  friend bool operator!=(Account a, Account b) { return !(a == b); }
  friend bool operator<(Account a, Account b) { return a.number < b.number; }
  template <typename H>
  friend H AbslHashValue(H state, Account account) {
    return H::combine(std::move(state), account.number);
  }
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_ACCOUNT_H_
