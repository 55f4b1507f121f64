#ifndef HYDRA_COMMON_POOL_MEMORY_LOCK_H_
#define HYDRA_COMMON_POOL_MEMORY_LOCK_H_

#include <cstdint>

#include "absl/status/status.h"

namespace hydra {

// Makes every page of the mapped bytes [base, base + bytes) present and keeps
// it in memory, never swapped out, until it is unmapped. `base` is the start of
// a page. Thread-safe.
//
// After a failure none of it is locked.
//
// RESOURCE_EXHAUSTED: this process may not lock so much; the message has the
//   limit and what to change.
// Others: what the system said.
absl::Status LockMemory(const void* base, int64_t bytes);

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_MEMORY_LOCK_H_
