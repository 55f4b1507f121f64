#ifndef HYDRA_COMMON_FILE_UNIQUE_FD_H_
#define HYDRA_COMMON_FILE_UNIQUE_FD_H_

#include <utility>

namespace hydra {

// Owns a file descriptor, or none (-1).
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Gives it away.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_UNIQUE_FD_H_
