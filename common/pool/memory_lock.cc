#include "common/pool/memory_lock.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

int64_t KiB(int64_t bytes) { return (bytes + 1023) / 1024; }

absl::Status LimitError(const absl::Status& error, int64_t bytes) {
  struct rlimit limit = {};
  PCHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  return absl::ResourceExhaustedError(absl::StrCat(
      error.message(), "; the limit on locked memory (RLIMIT_MEMLOCK) is ",
      limit.rlim_cur, " B; raise it (ulimit -l ", KiB(bytes),
      " in a shell, LimitMEMLOCK=", bytes,
      " in a systemd unit), or set pool.allow_unlocked=true to let the kernel "
      "swap the pool out when memory is short"));
}

}  // namespace

absl::Status LockMemory(const void* base, int64_t bytes) {
  if (mlock(base, bytes) == 0) return absl::OkStatus();
  const int error = errno;
  munlock(base, bytes);  // mlock may have locked the first part of it.
  const absl::Status status = absl::ErrnoToStatus(
      error, absl::StrCat("cannot lock ", bytes, " B in memory"));
  if (error == EPERM || error == ENOMEM || error == EAGAIN) {
    return LimitError(status, bytes);
  }
  return status;
}

}  // namespace hydra
