#include "common/broker/message.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hydra::broker {
namespace {

// Room for the descriptors of one message.
union Control {
  char bytes[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  cmsghdr align;
};

msghdr HeaderOf(iovec* content) {
  msghdr header = {};
  header.msg_iov = content;
  header.msg_iovlen = 1;
  return header;
}

}  // namespace

int Send(int socket, absl::Span<const char> message,
         absl::Span<const int> descriptors) {
  iovec content = {const_cast<char*>(message.data()), message.size()};
  msghdr header = HeaderOf(&content);
  Control control = {};
  if (!descriptors.empty()) {
    const size_t bytes = descriptors.size() * sizeof(int);
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
  }
  while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int Receive(int socket, absl::Span<char> message, Received* received) {
  *received = {};
  iovec content = {message.data(), message.size()};
  msghdr header = HeaderOf(&content);
  Control control = {};
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof(control.bytes);
  ssize_t bytes = 0;
  while ((bytes = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return errno;
  }
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
       part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      received->descriptors.emplace_back(descriptor);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return EMSGSIZE;
  received->bytes = static_cast<size_t>(bytes);
  return 0;
}

}  // namespace hydra::broker
