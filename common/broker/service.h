#ifndef HYDRA_COMMON_BROKER_SERVICE_H_
#define HYDRA_COMMON_BROKER_SERVICE_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/status.h"
#include "common/broker/message.h"
#include "common/file/unique_fd.h"

// hydra-files: opens and changes files for hydrad and its workers as the users
// whose jobs name them, so that what a job may read and write is what the
// kernel lets its user read and write. It alone has the right to become other
// users (CAP_SETUID, CAP_SETGID), and it reads nothing that a user wrote.
namespace hydra::broker {

// Becomes `user` for all that has to do with files, with all of his groups, as
// the system's user database has them, and gives up every capability. The real
// and the saved user id stay: by these the kernel decides who may send signals
// to a process, and a user who stopped his would have more and more of them
// made. For a process of its own, which has one thread.
//
// NOT_FOUND: there is no such user. Others: what the system said; the process
//   must end.
// PERMISSION_DENIED, too: it is root, and this process is not. Whoever has
//   root's files opened may do anything.
absl::Status BecomeUser(uid_t user);

// Does what a message asks for, as this process's user: an errno, and of an
// opened file its descriptor. Whatever it holds, nothing is made, changed or
// removed but an entry of a directory among `descriptors`, or what one of these
// is.
int CarryOut(const Request& request, const std::vector<UniqueFd>& descriptors,
             UniqueFd* made);

// Does what requests on `connection` ask for, as the user that its first
// message names, until the other side is gone. In a process of its own.
void ServeConnection(UniqueFd connection);

// Accepts connections of processes of `peer`, hydrad's user, on `socket`, which
// listens, and serves each in a child process; others are closed. Returns where
// accepting fails for good.
absl::Status Serve(const UniqueFd& socket, uid_t peer);

}  // namespace hydra::broker

#endif  // HYDRA_COMMON_BROKER_SERVICE_H_
