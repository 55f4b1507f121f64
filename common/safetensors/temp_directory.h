#ifndef HYDRA_COMMON_SAFETENSORS_TEMP_DIRECTORY_H_
#define HYDRA_COMMON_SAFETENSORS_TEMP_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydra::safetensors {

// An empty directory for one test, removed with all that is in it.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;

  // Both create or replace; both fail the test if they cannot.
  std::string Write(absl::string_view name, absl::string_view bytes) const;
  void MakeDirectory(absl::string_view name) const;

  std::string Read(absl::string_view name) const;

  // Sorted, hidden ones too.
  std::vector<std::string> Names() const;

 private:
  std::string path_;
};

// A safetensors file: the length of `header`, `header`, `data`.
std::string FileBytesOf(absl::string_view header, absl::string_view data);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_TEMP_DIRECTORY_H_
