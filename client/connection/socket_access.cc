#include "client/connection/socket_access.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hydra {
namespace {

bool MayNot(const std::string& path, int what) {
  return faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) != 0 &&
         errno == EACCES;
}

std::string UserName(uid_t user) {
  const passwd* const entry = getpwuid(user);
  return entry == nullptr ? absl::StrCat(user) : entry->pw_name;
}

std::string GroupName(gid_t group) {
  const ::group* const entry = getgrgid(group);
  return entry == nullptr ? absl::StrCat(group) : entry->gr_name;
}

// The first folder on the way that lets this process not pass; else the socket.
void FindClosedPlace(const std::string& socket, SocketAccess& found) {
  found.place = socket;
  for (size_t slash = socket.find('/', 1); slash != std::string::npos;
       slash = socket.find('/', slash + 1)) {
    const std::string folder = socket.substr(0, slash);
    if (!MayNot(folder, X_OK)) continue;
    found.place = folder;
    found.is_folder = true;
    break;
  }
  struct stat facts;
  if (stat(found.place.c_str(), &facts) != 0) return;
  found.mode = facts.st_mode;
  found.owner = UserName(facts.st_uid);
  found.group = GroupName(facts.st_gid);
  found.user = UserName(geteuid());
}

bool IsForGroup(const SocketAccess& closed) {
  return (closed.mode & (closed.is_folder ? S_IXGRP : S_IWGRP)) != 0;
}

}  // namespace

SocketAccess LookAtSocket(const std::string& path) {
  SocketAccess found;
  struct stat facts;
  const bool is_seen = stat(path.c_str(), &facts) == 0;
  if (!is_seen && errno != EACCES) {
    found.kind = SocketAccess::Kind::kMissing;
  } else if (is_seen && !S_ISSOCK(facts.st_mode)) {
    found.kind = SocketAccess::Kind::kNoSocket;
  } else if (!is_seen || MayNot(path, W_OK)) {
    found.kind = SocketAccess::Kind::kClosed;
    FindClosedPlace(path, found);
  }
  return found;
}

std::string WhyClosed(const std::string& socket, const SocketAccess& closed) {
  const std::string what =
      closed.is_folder ? absl::StrFormat("its folder %s (mode %04o)",
                                         closed.place, closed.mode & 07777)
                       : "it";
  return absl::StrCat(
      "you may not use the socket ", socket, ": ", what, " is for ",
      IsForGroup(closed) ? absl::StrCat("group ", closed.group)
                         : absl::StrCat("user ", closed.owner, " alone"));
}

std::string RemedyOf(const SocketAccess& closed) {
  if (IsForGroup(closed)) {
    return absl::StrCat("Ask for: sudo usermod -aG ", closed.group, " ",
                        closed.user, ", then log in again");
  }
  return absl::StrCat("Ask ", closed.owner,
                      " for a socket that you may use (unix_socket in hydrad's "
                      "configuration)");
}

std::string WhyNoAccess(const std::string& socket) {
  const SocketAccess access = LookAtSocket(socket);
  if (access.kind != SocketAccess::Kind::kClosed) return "";
  return absl::StrCat(WhyClosed(socket, access), ". ", RemedyOf(access));
}

}  // namespace hydra
