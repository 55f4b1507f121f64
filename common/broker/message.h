#ifndef HYDRA_COMMON_BROKER_MESSAGE_H_
#define HYDRA_COMMON_BROKER_MESSAGE_H_

#include <limits.h>
#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/file/unique_fd.h"

// What hydrad and its workers say to hydra-files (service.h), and it to them:
// structs of fixed size over a SOCK_SEQPACKET socket, one message each, with
// descriptors beside (SCM_RIGHTS). Nothing is parsed. Both ends are of one
// build, on one machine.
namespace hydra::broker {

inline constexpr uint32_t kVersion = 1;

// A connection's first message: as whom it opens files from now on. Answered by
// a Reply.
struct Hello {
  uint32_t version = kVersion;
  uint32_t user = 0;
};

enum class Operation : uint32_t {
  // openat(directory, name, flags, mode); the reply has the descriptor.
  kOpen = 1,
  // The file of the one descriptor, opened anew with `flags`; the reply has it.
  kReopen = 2,
  // mkdirat(directory, name, mode).
  kMakeDirectory = 3,
  // renameat2(directory, name, second directory, other, flags).
  kRename = 4,
  // unlinkat(directory, name, flags).
  kUnlink = 5,
  // fchmod(descriptor, mode).
  kChangeMode = 6,
  // faccessat(directory, ".", mode): whether it may be used so.
  kAccess = 7,
};

// Its directories are the message's descriptors, in the operation's order; for
// kOpen none, where `name` is an absolute path. Names are ended by a zero, also
// where an operation has none.
struct Request {
  Operation operation = Operation::kOpen;
  uint32_t flags = 0;
  uint32_t mode = 0;
  char name[PATH_MAX] = "";
  char other[NAME_MAX + 1] = "";
};

struct Reply {
  // An errno; 0: done.
  int32_t error = 0;
};

// More than these a message has not.
inline constexpr int kMostDescriptors = 2;

// Sends one message. Returns 0, or an errno; EPIPE: the other side is gone.
int Send(int socket, absl::Span<const char> message,
         absl::Span<const int> descriptors);

struct Received {
  // Of the message; 0: the other side is gone.
  size_t bytes = 0;
  std::vector<UniqueFd> descriptors;
};
// Waits for one message of at most message.size() bytes. Returns 0, or an
// errno; EMSGSIZE: it was longer, or had more descriptors.
int Receive(int socket, absl::Span<char> message, Received* received);

// The same for the structs above, which Receive takes whole or not at all.
template <typename Message>
int SendMessage(int socket, const Message& message,
                absl::Span<const int> descriptors = {}) {
  return Send(socket,
              {reinterpret_cast<const char*>(&message), sizeof(message)},
              descriptors);
}
// EPROTO: it is no such message.
template <typename Message>
int ReceiveMessage(int socket, Message* message, Received* received) {
  const int error = Receive(
      socket, {reinterpret_cast<char*>(message), sizeof(*message)}, received);
  if (error != 0) return error;
  return received->bytes == 0 || received->bytes == sizeof(*message) ? 0
                                                                     : EPROTO;
}

}  // namespace hydra::broker

#endif  // HYDRA_COMMON_BROKER_MESSAGE_H_
