#ifndef HYDRA_CLIENT_CONNECTION_COPY_BOTH_WAYS_H_
#define HYDRA_CLIENT_CONNECTION_COPY_BOTH_WAYS_H_

#include "absl/status/status.h"

namespace hydra {

// Copies what `in` brings to `socket`, and what that brings to `out`, until the
// socket has no more. Where `in` ends before, or nobody reads the socket any
// more, the socket is told that nothing comes, and the other way goes on.
// Blocks. The descriptors are not closed; they do not block meanwhile.
//
// Others: what the system said of reading or writing.
absl::Status CopyBothWays(int in, int out, int socket);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_COPY_BOTH_WAYS_H_
