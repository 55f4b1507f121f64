#ifndef HYDRA_SCHEDULER_SERVICE_SOCKET_CALLER_H_
#define HYDRA_SCHEDULER_SERVICE_SOCKET_CALLER_H_

#include "scheduler/core/caller.h"

namespace hydra {

// Who connected to the other end of `socket`, by the kernel; unknown, if it is
// no unix socket.
Caller CallerBehind(int socket);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_SOCKET_CALLER_H_
