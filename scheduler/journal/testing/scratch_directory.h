#ifndef HYDRA_SCHEDULER_JOURNAL_TESTING_SCRATCH_DIRECTORY_H_
#define HYDRA_SCHEDULER_JOURNAL_TESTING_SCRATCH_DIRECTORY_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// An empty directory for one test, removed with all that is in it. In memory,
// if the machine has a place for that: tests that synchronise a thousand times
// need not wait for a disk.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string PathOf(absl::string_view name) const;

  // Removes what is in it.
  void Empty() const;

 private:
  std::string path_;
};

// The bytes of a file; empty if it is missing.
std::string ReadFileBytes(const std::string& path);

void WriteFileBytes(const std::string& path, absl::string_view bytes);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TESTING_SCRATCH_DIRECTORY_H_
