#include "common/file/socket_path.h"

#include <fcntl.h>
#include <sys/un.h>

#include <cerrno>
#include <filesystem>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

bool IsPlain(const std::string& path) {
  return path.size() < sizeof(sockaddr_un::sun_path) &&
         absl::c_all_of(path, [](unsigned char byte) {
           return absl::ascii_isalnum(byte) || byte == '/' || byte == '.' ||
                  byte == '-' || byte == '_';
         });
}

}  // namespace

absl::StatusOr<SocketPath> SocketPath::Of(const std::string& path) {
  if (IsPlain(path)) return SocketPath(UniqueFd(), path);
  const std::filesystem::path whole(path);
  UniqueFd folder(
      open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) {
    return FileError(errno, absl::StrCat("cannot open the folder of ", path));
  }
  std::string text = absl::StrCat("/proc/self/fd/", folder.get(), "/",
                                  whole.filename().string());
  return SocketPath(std::move(folder), std::move(text));
}

}  // namespace hydra
