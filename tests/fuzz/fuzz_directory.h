#ifndef HYDRA_TESTS_FUZZ_FUZZ_DIRECTORY_H_
#define HYDRA_TESTS_FUZZ_FUZZ_DIRECTORY_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// A directory for a fuzz target's files: below $TEST_TMPDIR, else below
// $TMPDIR or /tmp. Removed with all that is in it.
class FuzzDirectory {
 public:
  FuzzDirectory();
  ~FuzzDirectory();
  FuzzDirectory(const FuzzDirectory&) = delete;
  FuzzDirectory& operator=(const FuzzDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;

 private:
  std::string path_;
};

void WriteFile(const std::string& path, absl::string_view bytes);
std::string ReadFile(const std::string& path);

// The files in a directory, by name.
std::map<std::string, std::string> ReadFiles(const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_TESTS_FUZZ_FUZZ_DIRECTORY_H_
