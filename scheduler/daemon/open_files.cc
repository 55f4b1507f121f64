#include "scheduler/daemon/open_files.h"

#include <sys/resource.h>

#include <algorithm>

#include "glog/logging.h"

namespace hydra {
namespace {

constexpr rlim_t kWantedOpenFiles = 16'384;

}  // namespace

int64_t RaiseOpenFiles() {
  rlimit limit = {};
  PCHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = std::min(limit.rlim_max, kWantedOpenFiles);
  if (limit.rlim_cur <= soft || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    limit.rlim_cur = soft;
  }
  return static_cast<int64_t>(std::min(limit.rlim_cur, kWantedOpenFiles));
}

}  // namespace hydra
