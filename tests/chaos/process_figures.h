#ifndef HYDRA_TESTS_CHAOS_PROCESS_FIGURES_H_
#define HYDRA_TESTS_CHAOS_PROCESS_FIGURES_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace hydra {

// What a process holds, from /proc. All zero when it has ended.
struct ProcessFigures {
  // Memory of its own, without what it shares with others.
  int64_t anonymous_bytes = 0;
  // Resident pages of shared memory and of mapped files.
  int64_t shared_bytes = 0;
  int descriptors = 0;
  int threads = 0;
  double cpu_seconds = 0;
};
ProcessFigures FiguresOf(pid_t pid);

// Whether a child of this process has ended, waited for or not.
bool HasEnded(pid_t child);

// Bytes that the files below `directory` take on the disk.
int64_t DiskBytes(const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_TESTS_CHAOS_PROCESS_FIGURES_H_
