#ifndef HYDRA_SCHEDULER_CORE_ONCE_PER_KEY_H_
#define HYDRA_SCHEDULER_CORE_ONCE_PER_KEY_H_

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/ids/ids.h"

namespace hydra {

// Work that several jobs need done once: the first to ask does it, the others
// wait for its result. Not thread-safe.
template <typename Result>
class OncePerKey {
 public:
  // Null until Set. Valid until the next change.
  const Result* Find(const std::string& key) const {
    auto found = done_.find(key);
    return found == done_.end() ? nullptr : &found->second;
  }

  // The job that does the work: `job` itself if nobody did before.
  JobId Claim(const std::string& key, JobId job) {
    return claims_.try_emplace(key, job).first->second;
  }

  void Set(const std::string& key, Result result) {
    done_.insert_or_assign(key, std::move(result));
    claims_.erase(key);
  }

  // The job will not do it; somebody else may claim it. False: it had not
  // claimed it.
  bool Abandon(const std::string& key, JobId job) {
    auto found = claims_.find(key);
    if (found == claims_.end() || found->second != job) return false;
    claims_.erase(found);
    return true;
  }

 private:
  absl::flat_hash_map<std::string, Result> done_;
  absl::flat_hash_map<std::string, JobId> claims_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ONCE_PER_KEY_H_
