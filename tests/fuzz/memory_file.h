#ifndef HYDRA_TESTS_FUZZ_MEMORY_FILE_H_
#define HYDRA_TESTS_FUZZ_MEMORY_FILE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// A file in memory that can be opened by its path, in this process alone.
// Writing it again replaces its content. Not thread-safe.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  const std::string& path() const { return path_; }

  void Write(absl::string_view bytes);

 private:
  const int fd_;
  const std::string path_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_FUZZ_MEMORY_FILE_H_
