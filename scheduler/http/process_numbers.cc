#include "scheduler/http/process_numbers.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace hydra {
namespace {

int64_t CountOpenFiles() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"),
                                                   &closedir);
  if (folder == nullptr) return 0;
  // Without ".", ".." and the folder itself.
  int64_t count = -3;
  while (readdir(folder.get()) != nullptr) ++count;
  return count;
}

}  // namespace

ProcessNumbers ReadProcessNumbers() {
  ProcessNumbers numbers;
  rusage use = {};
  if (getrusage(RUSAGE_SELF, &use) == 0) {
    numbers.cpu = absl::DurationFromTimeval(use.ru_utime) +
                  absl::DurationFromTimeval(use.ru_stime);
  }
  std::ifstream memory("/proc/self/statm");
  int64_t virtual_pages = 0;
  int64_t resident_pages = 0;
  if (memory >> virtual_pages >> resident_pages) {
    const int64_t page_bytes = sysconf(_SC_PAGESIZE);
    numbers.virtual_bytes = virtual_pages * page_bytes;
    numbers.resident_bytes = resident_pages * page_bytes;
  }
  numbers.open_files = CountOpenFiles();
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    numbers.most_open_files = static_cast<int64_t>(limit.rlim_cur);
  }
  return numbers;
}

}  // namespace hydra
