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

}  // namespace

std::string NoAccessText(const std::string& socket, const ClosedPlace& place,
                         const std::string& user) {
  std::string text = absl::StrCat("you may not use the socket ", socket, ": ");
  if (place.is_folder) {
    absl::StrAppendFormat(&text, "its folder %s (mode %04o) ", place.path,
                          place.mode & 07777);
  } else {
    absl::StrAppend(&text, "it ");
  }
  const bool is_for_group =
      (place.mode & (place.is_folder ? S_IXGRP : S_IWGRP)) != 0;
  if (is_for_group) {
    absl::StrAppend(&text, "is for group ", place.group,
                    ". Ask for: sudo usermod -aG ", place.group, " ", user,
                    ", then log in again");
  } else {
    absl::StrAppend(&text, "is for user ", place.owner, " alone");
  }
  return text;
}

std::string WhyNoAccess(const std::string& socket) {
  if (!MayNot(socket, W_OK)) return "";
  ClosedPlace place{socket, /*is_folder=*/false, 0, "", ""};
  // The first folder that lets nobody pass, from the root on.
  for (size_t slash = socket.find('/', 1); slash != std::string::npos;
       slash = socket.find('/', slash + 1)) {
    const std::string folder = socket.substr(0, slash);
    if (!MayNot(folder, X_OK)) continue;
    place.path = folder;
    place.is_folder = true;
    break;
  }
  struct stat facts;
  if (stat(place.path.c_str(), &facts) != 0) return "";
  place.mode = facts.st_mode;
  place.owner = UserName(facts.st_uid);
  place.group = GroupName(facts.st_gid);
  return NoAccessText(socket, place, UserName(geteuid()));
}

}  // namespace hydra
