#ifndef HYDRA_COMMON_BROKER_CHANNEL_H_
#define HYDRA_COMMON_BROKER_CHANNEL_H_

#include <sys/types.h>

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/broker/message.h"
#include "common/file/unique_fd.h"

namespace hydra::broker {

// A connection to hydra-files that opens files as one user. It is made at the
// first call, and anew where it broke, or is old: so a user who leaves a group
// loses its files within a minute. Calls wait for each other, as a slow file
// system makes them; but one that gets no answer for long is given up, and
// those that come soon after it are. Thread-safe.
class Channel {
 public:
  // `socket`: where hydra-files listens.
  Channel(std::string socket, uid_t user,
          absl::Duration patience = absl::Seconds(20));

  // Does what `request` asks for, with these descriptors, which stay the
  // caller's. Returns 0, or the errno of what was asked; `made` gets the
  // descriptor of an opened file, and may be null for what opens none.
  // ENOTCONN: hydra-files cannot be reached, or does not answer; what was asked
  // for may have been done. ESRCH: there is no such user.
  int Call(const Request& request, absl::Span<const int> descriptors,
           UniqueFd* made) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Returns 0, ENOTCONN or ESRCH.
  int Connect(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // After a call that broke off with `error`.
  int GiveUp(int error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string socket_;
  const uid_t user_;
  const absl::Duration patience_;
  absl::Mutex mu_;
  UniqueFd connection_ ABSL_GUARDED_BY(mu_);
  absl::Time connected_at_ ABSL_GUARDED_BY(mu_);
  // Until then nobody waits for an answer.
  absl::Time rests_until_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace hydra::broker

#endif  // HYDRA_COMMON_BROKER_CHANNEL_H_
