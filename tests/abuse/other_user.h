#ifndef HYDRA_TESTS_ABUSE_OTHER_USER_H_
#define HYDRA_TESTS_ABUSE_OTHER_USER_H_

#include <sys/types.h>

#include <functional>
#include <string>

namespace hydra {

// Nobody's account on Debian.
inline constexpr uid_t kOtherUser = 65534;

// Whether this process may become another user, as root may outside of a
// sandbox.
bool CanBecomeOtherUser();

// A child process of another user, which does `work` and stays until the object
// ends; of this process's user, where it cannot become another. `work` must do
// nothing but system calls: other threads' locks may be held.
class OtherUser {
 public:
  // Returns when `work` has returned in the child.
  explicit OtherUser(const std::function<int()>& work);
  ~OtherUser();

  // What `work` returned.
  int result() const { return result_; }

 private:
  pid_t pid_ = 0;
  int result_ = -1;
};

// Connects to a unix socket as often as it can, `wanted` times at most, and
// says nothing; how many connections there are. The descriptors stay open.
int ConnectIdly(const std::string& path, int wanted);

}  // namespace hydra

#endif  // HYDRA_TESTS_ABUSE_OTHER_USER_H_
