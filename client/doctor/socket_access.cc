#include "client/doctor/socket_access.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

std::string UserName(uid_t id) {
  const passwd* const entry = getpwuid(id);
  return entry == nullptr ? absl::StrCat(id) : entry->pw_name;
}

std::string GroupName(gid_t id) {
  const group* const entry = getgrgid(id);
  return entry == nullptr ? absl::StrCat(id) : entry->gr_name;
}

}  // namespace

SocketAccess LookAtSocket(const std::string& path) {
  SocketAccess found;
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    found.kind = errno == EACCES ? SocketAccess::Kind::kHidden
                                 : SocketAccess::Kind::kMissing;
    return found;
  }
  found.owner = UserName(status.st_uid);
  found.group = GroupName(status.st_gid);
  if (!S_ISSOCK(status.st_mode)) {
    found.kind = SocketAccess::Kind::kNoSocket;
  } else if (access(path.c_str(), W_OK) != 0) {
    found.kind = SocketAccess::Kind::kRefused;
  }
  return found;
}

}  // namespace hydra
