#ifndef HYDRA_COMMON_POOL_POOL_ALLOCATION_H_
#define HYDRA_COMMON_POOL_POOL_ALLOCATION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/file/file.h"

namespace hydra {

// Threads that this process may run at once: the cores that it is allowed.
int UsableCores();

// Whether the open file lies on tmpfs, so that its pages are memory.
bool IsTmpfs(const UniqueFd& fd);

// Makes the file `size_bytes` long and gives it all its pages, so that no later
// access can run out of space. On tmpfs the kernel zeroes each page, which
// `threads` do in parallel; elsewhere it only notes which blocks they are.
//
// Errors: what the system said, with how far it went. RESOURCE_EXHAUSTED: no
// space. The file then has any part of its pages.
absl::Status AllocatePages(const std::string& path, const UniqueFd& fd,
                           int64_t size_bytes, int threads);

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_POOL_ALLOCATION_H_
