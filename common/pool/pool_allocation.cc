#include "common/pool/pool_allocation.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// A signal makes the kernel undo the call that it interrupts, so what one call
// allocates is kept small enough to get done between two signals.
constexpr int64_t kStepBytes = int64_t{64} << 20;

// fallocate() holds the file's lock for as long as it runs, so threads that
// call it wait for each other. Faulting pages in through a mapping does not:
// this asks the kernel to do so, and to return an error where a touch would
// kill the process.
bool PopulateStep(std::byte* begin, int64_t bytes) {
  while (madvise(begin, bytes, MADV_POPULATE_WRITE) != 0) {
    if (errno != EINTR && errno != EAGAIN) return false;
  }
  // The pages stay; this process need not have them in its tables.
  madvise(begin, bytes, MADV_DONTNEED);
  return true;
}

// Whether all of the file has its pages now. If not, any part of it has.
bool PopulateInParallel(const UniqueFd& fd, int64_t size_bytes, int threads) {
  if (ftruncate(fd.get(), size_bytes) != 0) return false;
  void* const base = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                          MAP_SHARED, fd.get(), 0);
  if (base == MAP_FAILED) return false;
  std::atomic<int64_t> next = 0;
  std::atomic<bool> ok = true;
  const auto work = [&] {
    while (ok) {
      const int64_t first = next.fetch_add(kStepBytes);
      if (first >= size_bytes) return;
      const int64_t bytes = std::min(kStepBytes, size_bytes - first);
      if (!PopulateStep(static_cast<std::byte*>(base) + first, bytes)) {
        ok = false;
      }
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  PCHECK(munmap(base, size_bytes) == 0);
  return ok;
}

}  // namespace

int UsableCores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) {
    return std::max(1u, std::thread::hardware_concurrency());
  }
  return CPU_COUNT(&cores);
}

bool IsTmpfs(const UniqueFd& fd) {
  struct statfs stat = {};
  return fstatfs(fd.get(), &stat) == 0 && stat.f_type == TMPFS_MAGIC;
}

absl::Status AllocatePages(const std::string& path, const UniqueFd& fd,
                           int64_t size_bytes, int threads) {
  if (IsTmpfs(fd) && threads > 1 &&
      PopulateInParallel(fd, size_bytes, threads)) {
    return absl::OkStatus();
  }
  // Passes quickly over the pages that are there, and says what is wrong.
  int64_t done_bytes = 0;
  while (done_bytes < size_bytes) {
    const int64_t step_bytes = std::min(kStepBytes, size_bytes - done_bytes);
    const int error = posix_fallocate(fd.get(), done_bytes, step_bytes);
    if (error == EINTR) continue;
    if (error != 0) {
      return absl::ErrnoToStatus(
          error, absl::StrCat("cannot allocate ", size_bytes, " B for pool ",
                              path, ", it went well up to ", done_bytes, " B"));
    }
    done_bytes += step_bytes;
  }
  return absl::OkStatus();
}

}  // namespace hydra
