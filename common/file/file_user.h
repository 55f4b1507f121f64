#ifndef HYDRA_COMMON_FILE_FILE_USER_H_
#define HYDRA_COMMON_FILE_FILE_USER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/attributes.h"
#include "common/broker/channel.h"
#include "common/file/unique_fd.h"

namespace hydra {

// As whom files are opened and changed: this process's own user, or another
// one, for whom hydra-files does it (common/broker/service.h). So what a job
// may read and write is what the kernel lets the job's user read and write.
//
// A value: copies are the same user. Thread-safe. The functions are the system
// calls of these names, errno included; ENOTCONN: hydra-files cannot be
// reached; ESRCH: this machine has no such user. A directory that a descriptor
// is of was opened by anybody: rights are asked for anew at each call.
class FileUser {
 public:
  // This process's own.
  FileUser() = default;
  explicit FileUser(std::shared_ptr<broker::Channel> channel);

  // `path` is absolute, but for this process's own user. Closed on exec.
  UniqueFd Open(const std::string& path, int flags) const;
  UniqueFd OpenAt(int directory, const std::string& name, int flags,
                  mode_t mode = 0) const;
  // What `descriptor` is of, opened anew.
  UniqueFd Reopen(int descriptor, int flags) const;

  // 0, or -1.
  ABSL_MUST_USE_RESULT int MakeDirectoryAt(int directory,
                                           const std::string& name,
                                           mode_t mode) const;
  ABSL_MUST_USE_RESULT int RenameAt(int directory, const std::string& name,
                                    int new_directory,
                                    const std::string& new_name,
                                    unsigned flags = 0) const;
  ABSL_MUST_USE_RESULT int UnlinkAt(int directory, const std::string& name,
                                    int flags) const;
  ABSL_MUST_USE_RESULT int ChangeMode(int descriptor, mode_t mode) const;
  // Whether the directory may be read, written in or passed: R_OK, W_OK, X_OK.
  ABSL_MUST_USE_RESULT int Access(int directory, int mode) const;

  // Whether it is this process's own.
  bool is_own() const { return channel_ == nullptr; }

 private:
  // Null: this process's own.
  std::shared_ptr<broker::Channel> channel_;
};

// From now on UserOf() asks hydra-files at this socket; empty: there is none.
// Call it before the first job's file is opened; thread-safe.
void SetFileBroker(std::string socket);

// As whom a job's files are opened that `owner` submitted. This process's own
// user, if there is no hydra-files, nobody knows the owner, or it is that one,
// or root, whose files hydra-files opens for nobody. Thread-safe.
FileUser UserOf(std::optional<uint32_t> owner);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_FILE_USER_H_
