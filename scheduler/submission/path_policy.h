#ifndef HYDRA_SCHEDULER_SUBMISSION_PATH_POLICY_H_
#define HYDRA_SCHEDULER_SUBMISSION_PATH_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file_access.h"
#include "common/file/file_user.h"
#include "common/file/unique_fd.h"

namespace hydra {

// Which paths a job may name: it reads below the read roots and writes below
// the output roots, and neither where hydrad keeps its own (see
// common/file/private_places.h). Links are followed before a path is judged.
// Thread-safe; looks at the disk.
class PathPolicy {
 public:
  // No read roots: everything may be read. Roots that do not exist, or cannot
  // be followed, allow nothing. `default_output_dir`: hydrad's own folder for
  // models, which a job may name, and nothing below it.
  PathPolicy(const std::vector<std::string>& read_roots,
             const std::vector<std::string>& output_roots,
             const std::string& default_output_dir = "");

  // The same for jobs of `user`: as whom files are looked at, too.
  PathPolicy For(FileUser user) const;

  // NOT_FOUND: nothing there.
  // PERMISSION_DENIED: outside of the read roots, hydrad's own, or not
  //   readable.
  // INVALID_ARGUMENT: not a file (a directory), or empty.
  absl::Status CheckReadableFile(const std::string& path) const;
  absl::Status CheckReadableDirectory(const std::string& path) const;

  // Where `path` really leads, if a folder can be made in it, and `path` itself
  // if it is not there. Makes nothing. Without links, so whoever writes there
  // later need not follow any.
  //
  // PERMISSION_DENIED: outside of the output roots, hydrad's own, or not
  //   writable.
  absl::StatusOr<std::string> OutputDirectory(const std::string& path) const;

  // `path` is of OutputDirectory(). A warning, with the remedy, if others than
  // hydrad may rename what it makes there; empty if not. Hydrad's own folder is
  // for its user alone.
  std::string OutputWarning(const std::string& path) const;

  const FileAccess& access() const { return access_; }

 private:
  // Where a path leads that may be looked at.
  absl::StatusOr<UniqueFd> Find(const std::string& path) const;
  absl::Status CheckRoots(const std::string& path,
                          const std::string& real) const;
  absl::Status CheckOpens(const UniqueFd& found, int flags,
                          const std::string& path) const;
  absl::Status NotReadable(const std::string& path) const;

  FileAccess access_;
  std::vector<std::string> output_roots_;
  std::string default_output_dir_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_PATH_POLICY_H_
