#ifndef HYDRA_WORKER_DEVICE_TESTING_FOREIGN_MEMORY_H_
#define HYDRA_WORKER_DEVICE_TESTING_FOREIGN_MEMORY_H_

#include <cstddef>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "worker/device/device_arena.h"

namespace hydra {

// Host memory that stands for a GPU's: closed to the host, which can neither
// read nor write it unless it is opened. Whoever tries ends the process, with a
// line on stderr that says so. An arena of it gives nothing back.
DeviceArena::Source ForeignMemory();

// The pages of some ranges of that memory are open while one lives. One at a
// time: a second thread waits. What else lies on these pages is open, too.
class OpenForeignMemory {
 public:
  explicit OpenForeignMemory(std::vector<absl::Span<const std::byte>> ranges);
  ~OpenForeignMemory();
  OpenForeignMemory(const OpenForeignMemory&) = delete;
  OpenForeignMemory& operator=(const OpenForeignMemory&) = delete;

 private:
  void Protect(int protection) const;

  const absl::MutexLock lock_;
  const std::vector<absl::Span<const std::byte>> ranges_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_FOREIGN_MEMORY_H_
