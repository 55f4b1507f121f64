#ifndef HYDRA_CLIENT_CONNECTION_RECONNECTOR_H_
#define HYDRA_CLIENT_CONNECTION_RECONNECTOR_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/connection/interrupt.h"

namespace hydra {

struct ReconnectPolicy {
  // The pause before the first attempt; it doubles up to `longest_pause`.
  absl::Duration first_pause = absl::Milliseconds(250);
  absl::Duration longest_pause = absl::Seconds(1);
  // What an attempt gives the channel to connect: more than its own longest
  // pause between two attempts, which is 1.2 seconds.
  absl::Duration connect_patience = absl::Milliseconds(1500);
  // Time without the server after which trying ends.
  absl::Duration give_up_after = absl::Seconds(60);
};

// Decides whether a broken stream is worth opening again. Not thread-safe.
class Reconnector {
 public:
  // `notice` is called with what to tell the user.
  Reconnector(const ReconnectPolicy& policy, const Interrupt* interrupt,
              std::function<void(const std::string&)> notice);

  // The stream brought a message: the server is there.
  void Connected();

  // The stream ended with `status` before it should have. Waits and returns OK
  // when it should be opened again. Otherwise returns what went wrong: `status`
  // where another attempt does not help or the user has enough, UNAVAILABLE
  // when the server was away for too long.
  absl::Status WaitToRetry(const absl::Status& status);

 private:
  const ReconnectPolicy policy_;
  const Interrupt* const interrupt_;
  const std::function<void(const std::string&)> notice_;
  // By SteadyNow().
  absl::Time away_since_ = absl::InfiniteFuture();
  absl::Duration pause_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_RECONNECTOR_H_
