#ifndef HYDRA_COMMON_FILE_SCRATCH_DIRECTORY_H_
#define HYDRA_COMMON_FILE_SCRATCH_DIRECTORY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Files of a test program. What cannot be made, read or written ends it.
namespace hydra {

enum class ScratchPlace {
  // Below $TMPDIR or /tmp. Not below $TEST_TMPDIR, whose name may be too long
  // for a socket's.
  kDisk,
  // In memory, if the machine has a place for that: who synchronises a thousand
  // times need not wait for a disk.
  kMemory,
};

// An empty directory, removed with all that is in it. Thread-compatible.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(ScratchPlace place = ScratchPlace::kDisk);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  // Absolute, and without links.
  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;

  // Creates or replaces a file; returns its path.
  std::string Write(absl::string_view name, absl::string_view bytes) const;
  std::string Read(absl::string_view name) const;
  void MakeDirectory(absl::string_view name) const;

  // Sorted, hidden ones too.
  std::vector<std::string> Names() const;

  // Removes what is in it.
  void Empty() const;

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);

// Creates or replaces it.
void WriteFile(const std::string& path, absl::string_view bytes);

// The files in a directory, by name.
std::map<std::string, std::string> ReadFiles(const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_SCRATCH_DIRECTORY_H_
