#ifndef HYDRA_SCHEDULER_CORE_CALLER_H_
#define HYDRA_SCHEDULER_CORE_CALLER_H_

#include <sys/types.h>

#include <optional>
#include <utility>

namespace hydra {

// Who comes by TCP: the kernel does not say, and all who do are one.
inline constexpr uid_t kUnknownUser = static_cast<uid_t>(-1);

// Who makes a call. It is made once, at the door of the services, of what the
// kernel says of the connection, and goes from there as a value to whatever
// decides or reads for a client.
struct Caller {
  uid_t user = kUnknownUser;

  // The user, if anybody knows who that is.
  std::optional<uid_t> known() const {
    if (user == kUnknownUser) return std::nullopt;
    return user;
  }

  friend bool operator==(const Caller& a, const Caller& b) {
    return a.user == b.user;
  }
  friend bool operator<(const Caller& a, const Caller& b) {
    return a.user < b.user;
  }
  template <typename H>
  friend H AbslHashValue(H state, const Caller& caller) {
    return H::combine(std::move(state), caller.user);
  }
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CALLER_H_
