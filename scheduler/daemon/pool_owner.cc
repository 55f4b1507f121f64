#include "scheduler/daemon/pool_owner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

// More daemons of one user than this say themselves where their pools are.
constexpr int kDefaultPools = 16;

}  // namespace

PoolOwner OwnerOf(const PoolMark& pool, const PoolMark& ours,
                  bool other_jobs_exist) {
  // A daemon that died very early has put nothing into it.
  if (pool.instance.empty()) return PoolOwner::kNobody;
  const bool is_newest = pool.instance == ours.instance;
  if (pool.state_dir.empty()) {
    return is_newest ? PoolOwner::kThisDaemon : PoolOwner::kAnother;
  }
  if (pool.state_dir != ours.state_dir && other_jobs_exist) {
    return PoolOwner::kAnother;
  }
  return is_newest ? PoolOwner::kThisDaemon : PoolOwner::kNobody;
}

std::vector<std::string> DefaultPoolPaths(uid_t uid, absl::string_view last) {
  std::vector<std::string> paths;
  for (int i = 1; i <= kDefaultPools; ++i) {
    paths.push_back(absl::StrCat("/dev/shm/hydra-", uid,
                                 i == 1 ? "" : absl::StrCat("-", i), ".pool"));
  }
  const auto found = std::find(paths.begin(), paths.end(), last);
  if (found != paths.end()) std::rotate(paths.begin(), found, found + 1);
  return paths;
}

}  // namespace hydra
