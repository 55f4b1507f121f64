#ifndef HYDRA_COMMON_POOL_LIMIT_LOCKED_MEMORY_H_
#define HYDRA_COMMON_POOL_LIMIT_LOCKED_MEMORY_H_

#include <cstdint>

#include "absl/base/config.h"

namespace hydra {

// For tests: from now on this process can lock at most `bytes` of memory, even
// if it is root's. Not to be undone, so only for a child process.
void LimitLockedMemory(int64_t bytes);

// The sanitizers' mlock() does nothing.
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
inline constexpr bool kMemoryCanBeLocked = false;
#else
inline constexpr bool kMemoryCanBeLocked = true;
#endif

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_LIMIT_LOCKED_MEMORY_H_
