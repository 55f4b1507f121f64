#ifndef HYDRA_SCHEDULER_CORE_CALLER_H_
#define HYDRA_SCHEDULER_CORE_CALLER_H_

#include <sys/types.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace hydra {

// Who comes by TCP: the kernel does not say, and all who do are one.
inline constexpr uid_t kUnknownUser = static_cast<uid_t>(-1);

// Who makes a call. It is made once, at the door of the services, of what the
// kernel says of the connection, and goes from there as a value to whatever
// decides or reads for a client. Callers of one user are equal, whatever
// connections they come by.
struct Caller {
  uid_t user = kUnknownUser;
  // The process that connected. 0: nobody knows.
  pid_t pid = 0;
  // The groups that this process had when it connected. Null: none.
  std::shared_ptr<const std::vector<gid_t>> groups;

  bool is_in(gid_t group) const {
    return groups != nullptr &&
           std::find(groups->begin(), groups->end(), group) != groups->end();
  }

  // The user, if anybody knows who that is.
  std::optional<uid_t> known() const {
    if (user == kUnknownUser) return std::nullopt;
    return user;
  }

  friend bool operator==(const Caller& a, const Caller& b) {
    return a.user == b.user;
  }
  friend bool operator!=(const Caller& a, const Caller& b) { return !(a == b); }
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
