#ifndef HYDRA_TESTS_FAULTS_SMALL_DISK_H_
#define HYDRA_TESTS_FAULTS_SMALL_DISK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// A file system of a few bytes, mounted on an existing directory until this is
// destroyed. Not thread-safe.
class SmallDisk {
 public:
  // PERMISSION_DENIED: this process may not mount anything.
  static absl::StatusOr<std::unique_ptr<SmallDisk>> Mount(
      const std::string& directory, int64_t size_bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Leaves no byte free.
  void Fill();
  // Takes away what Fill wrote.
  void MakeRoom();

 private:
  explicit SmallDisk(std::string directory);

  const std::string directory_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_FAULTS_SMALL_DISK_H_
