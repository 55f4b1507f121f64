#ifndef HYDRA_COMMON_FILE_SOCKET_PATH_H_
#define HYDRA_COMMON_FILE_SOCKET_PATH_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/file/file.h"

namespace hydra {

// A way to name a socket of this machine whose path is longer than a socket's
// address may be (107 bytes), or has bytes that mean something in the text of
// an address: through its folder, which is held open. Movable.
class SocketPath {
 public:
  // Others: what the system said of the folder.
  static absl::StatusOr<SocketPath> Of(const std::string& path);

  // Means the socket in this process for as long as the object lives.
  const std::string& text() const { return text_; }

 private:
  SocketPath(UniqueFd folder, std::string text)
      : folder_(std::move(folder)), text_(std::move(text)) {}

  UniqueFd folder_;
  std::string text_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_SOCKET_PATH_H_
