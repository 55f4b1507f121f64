#ifndef HYDRA_COMMON_POOL_POOL_CLAIM_H_
#define HYDRA_COMMON_POOL_POOL_CLAIM_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/file/file.h"

namespace hydra {

// Who holds a pool file is told by locks of open file descriptions: one byte
// that its owner locks alone, another one that all workers lock together. The
// kernel drops such a lock when the last descriptor of that opening is closed,
// so at the latest when the process ends, however it ends. Unlike the older
// per-process locks, closing another descriptor of the same file does not drop
// it, and two openings in one process exclude each other too.

// Creates an empty file of mode 0600 at `path` and locks it as its owner. A
// pool that is there already and has no owner is removed first.
//
// ALREADY_EXISTS: the pool there has a live owner.
// FAILED_PRECONDITION: what is there is not a pool.
// UNAVAILABLE: other daemons kept creating and removing the file meanwhile.
// Others: what the system said of the path.
absl::StatusOr<UniqueFd> ClaimNewPool(const std::string& path);

// Opens the pool that a dead owner left at `path` and locks it as its owner.
//
// NOT_FOUND: no such file.
// ALREADY_EXISTS: the pool has a live owner.
// FAILED_PRECONDITION: the file is not a pool.
// UNAVAILABLE: other daemons kept creating and removing the file meanwhile.
// Others: what the system said of the path.
absl::StatusOr<UniqueFd> ClaimLeftOverPool(const std::string& path);

// Opens the file at `path` and locks it as one of its workers.
//
// Errors: what the system said of the path.
absl::StatusOr<UniqueFd> JoinPool(const std::string& path);

// Whether another opening of the file behind `fd` is locked by JoinPool.
bool PoolHasWorkers(const UniqueFd& fd);

// Whether `path` still leads to the file behind `fd`.
bool IsFileAt(const std::string& path, const UniqueFd& fd);

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_POOL_CLAIM_H_
