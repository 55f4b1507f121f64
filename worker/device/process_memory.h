#ifndef HYDRA_WORKER_DEVICE_PROCESS_MEMORY_H_
#define HYDRA_WORKER_DEVICE_PROCESS_MEMORY_H_

#include <cstdint>

namespace hydra {

// What this process has in memory that is no mapping of a file and not shared
// (RssAnon): libraries' scratch memory, code's data, stacks. 0 if the kernel
// does not say.
int64_t PrivateMemoryBytes();

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_PROCESS_MEMORY_H_
