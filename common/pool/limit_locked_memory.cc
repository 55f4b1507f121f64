#include "common/pool/limit_locked_memory.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "glog/logging.h"

namespace hydra {
namespace {

// Whoever has this capability is above the limit.
void DropIpcLock() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, /*pid=*/0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  PCHECK(syscall(SYS_capget, &header, sets) == 0);
  sets[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
  PCHECK(syscall(SYS_capset, &header, sets) == 0);
}

}  // namespace

void LimitLockedMemory(int64_t bytes) {
  const rlim_t limit_bytes = bytes;
  const struct rlimit limit = {limit_bytes, limit_bytes};
  PCHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  DropIpcLock();
}

}  // namespace hydra
