#ifndef HYDRA_SCHEDULER_SERVICE_STATE_DIRECTORY_H_
#define HYDRA_SCHEDULER_SERVICE_STATE_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// The directory where hydrad keeps what it writes by itself, owned by one live
// daemon at a time (a lock that ends with the process).
class StateDirectory {
 public:
  // Makes the directory and its folders as needed.
  //
  // FAILED_PRECONDITION: another live daemon owns it.
  // PERMISSION_DENIED: it cannot be made or written.
  static absl::StatusOr<StateDirectory> Open(const std::string& path);

  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  // One more than the highest number of a job that has an output here, so that
  // no later job writes over it.
  uint64_t NextJob() const;

  std::string outputs() const { return path_ + "/outputs"; }
  std::string tokens() const { return path_ + "/tokens"; }
  std::string partitions() const { return path_ + "/partitions"; }
  std::string logs() const { return path_ + "/logs"; }

 private:
  StateDirectory(std::string path, int lock_fd)
      : path_(std::move(path)), lock_fd_(lock_fd) {}

  std::string path_;
  int lock_fd_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_STATE_DIRECTORY_H_
