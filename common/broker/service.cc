#include "common/broker/service.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/broker/message.h"

namespace hydra::broker {
namespace {

constexpr int kOpenFlags = O_ACCMODE | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK |
                           O_NOCTTY | O_APPEND | O_PATH | O_CREAT | O_EXCL |
                           O_CLOEXEC;
constexpr mode_t kAccessModes = R_OK | W_OK | X_OK;
constexpr mode_t kModes = ACCESSPERMS | S_ISGID | S_ISVTX;

// Who asks makes a new connection after a minute: one that was silent for
// longer is asked no more, and its process ends.
constexpr timeval kLongestSilence = {120, 0};

// Who asks has given up by then: a file system may not answer for ever, and the
// process that waits for it would stay.
constexpr unsigned kLongestCallSeconds = 60;

// The user's entry of the system's database.
struct Account {
  std::string name;
  gid_t group = 0;
};

absl::StatusOr<Account> AccountOf(uid_t user) {
  std::vector<char> room(1 << 16);
  passwd entry;
  passwd* found = nullptr;
  const int error = getpwuid_r(user, &entry, room.data(), room.size(), &found);
  if (error != 0) {
    return absl::ErrnoToStatus(error,
                               absl::StrCat("cannot look up user ", user));
  }
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no user ", user));
  }
  return Account{found->pw_name, found->pw_gid};
}

absl::StatusOr<std::vector<gid_t>> GroupsOf(const Account& account) {
  int count = NGROUPS_MAX;
  std::vector<gid_t> groups(count);
  if (getgrouplist(account.name.c_str(), account.group, groups.data(), &count) <
      0) {
    return absl::ResourceExhaustedError(absl::StrCat(
        account.name, " is in more than ", NGROUPS_MAX, " groups"));
  }
  groups.resize(count);
  return groups;
}

// A change of the user id alone takes them from root only, and not for good.
absl::Status DropCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_capset, &header, none) != 0) {
    return absl::ErrnoToStatus(errno, "cannot give up capabilities");
  }
  return absl::OkStatus();
}

bool IsEnded(const char* name, size_t bytes) {
  return std::memchr(name, 0, bytes) != nullptr;
}

// The name of an entry, which leads nowhere else.
bool IsEntry(absl::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find('/') == absl::string_view::npos;
}

uid_t PeerOf(const UniqueFd& connection) {
  ucred peer = {0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t bytes = sizeof(peer);
  getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
  return peer.uid;
}

}  // namespace

int CarryOut(const Request& request, const std::vector<UniqueFd>& descriptors,
             UniqueFd* made) {
  if (!IsEnded(request.name, sizeof(request.name)) ||
      !IsEnded(request.other, sizeof(request.other)) ||
      (request.mode & ~kModes) != 0) {
    return EINVAL;
  }
  const auto done = [](int result) { return result < 0 ? errno : 0; };
  const auto has = [&](size_t count) { return descriptors.size() == count; };
  const auto opened = [&](int descriptor) {
    *made = UniqueFd(descriptor);
    return done(descriptor);
  };
  switch (request.operation) {
    case Operation::kOpen: {
      const bool is_path = has(0) && request.name[0] == '/';
      const bool creates = (request.flags & O_CREAT) != 0;
      if ((!is_path && !has(1)) || (request.flags & ~kOpenFlags) != 0 ||
          (creates && (is_path || (request.flags & O_EXCL) == 0 ||
                       !IsEntry(request.name)))) {
        return EINVAL;
      }
      return opened(openat(is_path ? AT_FDCWD : descriptors[0].get(),
                           request.name, request.flags | O_CLOEXEC,
                           request.mode));
    }
    case Operation::kReopen: {
      if (!has(1) || (request.flags & (~kOpenFlags | O_CREAT)) != 0) {
        return EINVAL;
      }
      const std::string link =
          absl::StrCat("/proc/self/fd/", descriptors[0].get());
      return opened(open(link.c_str(), request.flags | O_CLOEXEC));
    }
    case Operation::kMakeDirectory:
      if (!has(1) || !IsEntry(request.name)) return EINVAL;
      return done(mkdirat(descriptors[0].get(), request.name, request.mode));
    case Operation::kRename:
      if (!has(2) || !IsEntry(request.name) || !IsEntry(request.other) ||
          (request.flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE)) != 0) {
        return EINVAL;
      }
      // Not every file system has the newer one.
      return done(request.flags == 0
                      ? renameat(descriptors[0].get(), request.name,
                                 descriptors[1].get(), request.other)
                      : renameat2(descriptors[0].get(), request.name,
                                  descriptors[1].get(), request.other,
                                  request.flags));
    case Operation::kUnlink:
      if (!has(1) || !IsEntry(request.name) ||
          (request.flags & ~AT_REMOVEDIR) != 0) {
        return EINVAL;
      }
      return done(unlinkat(descriptors[0].get(), request.name, request.flags));
    case Operation::kChangeMode:
      if (!has(1)) return EINVAL;
      return done(fchmod(descriptors[0].get(), request.mode));
    case Operation::kAccess:
      if (!has(1) || (request.mode & ~kAccessModes) != 0) return EINVAL;
      return done(
          faccessat(descriptors[0].get(), ".", request.mode, AT_EACCESS));
  }
  return EINVAL;
}

absl::Status BecomeUser(uid_t user) {
  if (user == 0 && geteuid() != 0) {
    return absl::PermissionDeniedError("root's files are opened for nobody");
  }
  const absl::StatusOr<Account> account = AccountOf(user);
  if (!account.ok()) return account.status();
  const absl::StatusOr<std::vector<gid_t>> groups = GroupsOf(*account);
  if (!groups.ok()) return groups.status();
  if (setgroups(groups->size(), groups->data()) != 0 ||
      setresgid(account->group, account->group, account->group) != 0 ||
      seteuid(user) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot become user ", user));
  }
  return DropCapabilities();
}

void ServeConnection(UniqueFd connection) {
  (void)setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kLongestSilence,
                   sizeof(kLongestSilence));
  Hello hello;
  Received received;
  if (ReceiveMessage(connection.get(), &hello, &received) != 0 ||
      received.bytes == 0 || hello.version != kVersion) {
    return;
  }
  const absl::Status became = BecomeUser(hello.user);
  Reply reply;
  if (!became.ok()) reply.error = absl::IsNotFound(became) ? ESRCH : EPERM;
  if (SendMessage(connection.get(), reply) != 0 || reply.error != 0) return;
  // Modes are the request's.
  umask(0);
  while (true) {
    Request request;
    if (ReceiveMessage(connection.get(), &request, &received) != 0 ||
        received.bytes == 0) {
      return;
    }
    UniqueFd made;
    alarm(kLongestCallSeconds);
    reply.error = CarryOut(request, received.descriptors, &made);
    alarm(0);
    const int descriptor = made.get();
    if (SendMessage(connection.get(), reply,
                    made.is_open() ? absl::MakeConstSpan(&descriptor, 1)
                                   : absl::Span<const int>()) != 0) {
      return;
    }
  }
}

absl::Status Serve(const UniqueFd& socket, uid_t peer) {
  // Children that ended leave nothing.
  signal(SIGCHLD, SIG_IGN);
  while (true) {
    UniqueFd connection(accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.is_open()) {
      if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
        return absl::ErrnoToStatus(errno, "cannot accept connections");
      }
      // Out of descriptors or memory: others end some time.
      poll(nullptr, 0, /*ms=*/100);
      continue;
    }
    if (PeerOf(connection) != peer) continue;
    const pid_t child = fork();
    if (child != 0) continue;
    close(socket.get());
    // The system's user database may wait for children of its own.
    signal(SIGCHLD, SIG_DFL);
    ServeConnection(std::move(connection));
    _exit(0);
  }
}

}  // namespace hydra::broker
