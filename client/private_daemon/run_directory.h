#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_RUN_DIRECTORY_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_RUN_DIRECTORY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// A fresh directory, readable by its user alone, for the pool, socket and
// configuration of one `hydra run`. It and all in it goes away with the object.
//
// What an earlier run that was killed left behind is removed when the next one
// is made: a lock on the directory, which ends with its process, tells which
// are still in use. So a pool of many GiB does not stay in memory for ever.
class RunDirectory {
 public:
  // Makes one below `parent`.
  static absl::StatusOr<std::unique_ptr<RunDirectory>> Create(
      const std::string& parent);

  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  RunDirectory(std::string path, int lock_fd);

  const std::string path_;
  const int lock_fd_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_RUN_DIRECTORY_H_
