#ifndef HYDRA_SCHEDULER_SIM_DELAYS_H_
#define HYDRA_SCHEDULER_SIM_DELAYS_H_

#include "absl/time/time.h"

namespace hydra {

// How long what happens in a simulated world takes, at most.
inline constexpr absl::Duration kMessageTime = absl::Milliseconds(2);
inline constexpr absl::Duration kTaskTime = absl::Milliseconds(100);
// One that takes long, and gets on.
inline constexpr absl::Duration kLongTaskTime = absl::Minutes(10);
inline constexpr absl::Duration kRestartTime = absl::Milliseconds(50);
inline constexpr absl::Duration kDaemonRestartTime = absl::Seconds(2);
inline constexpr absl::Duration kReconnectTime = absl::Milliseconds(200);
inline constexpr absl::Duration kDiskTime = absl::Milliseconds(20);
inline constexpr absl::Duration kSecond = absl::Seconds(1);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_DELAYS_H_
