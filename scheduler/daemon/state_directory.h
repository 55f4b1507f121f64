#ifndef HYDRA_SCHEDULER_DAEMON_STATE_DIRECTORY_H_
#define HYDRA_SCHEDULER_DAEMON_STATE_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// The directory where hydrad keeps what it writes by itself, owned by one live
// daemon at a time (a lock that ends with the process).
class StateDirectory {
 public:
  // Makes the directory and its folders as needed, and keeps others out of
  // them: their mode is 0700, that of the directory itself too unless
  // `others_pass`, which lets them reach a socket in it by its name.
  //
  // FAILED_PRECONDITION: another live daemon owns it.
  // PERMISSION_DENIED: it cannot be made or written.
  static absl::StatusOr<StateDirectory> Open(const std::string& path,
                                             bool others_pass = false);

  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  std::string outputs() const { return path_ + "/outputs"; }
  std::string tokens() const { return path_ + "/tokens"; }
  std::string partitions() const { return path_ + "/partitions"; }
  std::string logs() const { return path_ + "/logs"; }
  // Who did what.
  std::string audit_log() const { return path_ + "/audit.jsonl"; }
  std::string job_logs() const { return path_ + "/logs/jobs"; }
  // Where workers attach.
  std::string worker_socket() const { return path_ + "/run/workers.sock"; }

 private:
  StateDirectory(std::string path, int lock_fd)
      : path_(std::move(path)), lock_fd_(lock_fd) {}

  std::string path_;
  int lock_fd_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_STATE_DIRECTORY_H_
