#include "common/file/unique_fd.h"

#include <unistd.h>

namespace hydra {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UniqueFd::~UniqueFd() {
  if (is_open()) close(fd_);
}

}  // namespace hydra
