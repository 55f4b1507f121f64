#ifndef HYDRA_COMMON_SHARED_SHARED_BY_CONTENT_H_
#define HYDRA_COMMON_SHARED_SHARED_BY_CONTENT_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"

namespace hydra {

// Values by a text that they follow from, each there once for as long as
// somebody uses it, so that ten thousand jobs of one model have one table. Not
// thread-safe.
template <typename T>
class SharedByContent {
 public:
  // What was given out for this text, if it is still used; else what `make`
  // makes.
  std::shared_ptr<const T> Get(
      const std::string& content,
      absl::FunctionRef<std::shared_ptr<const T>()> make) {
    auto found = values_.find(content);
    if (found != values_.end()) {
      if (auto value = found->second.lock(); value != nullptr) return value;
    }
    if (values_.size() >= forget_at_) ForgetUnused();
    std::shared_ptr<const T> value = make();
    values_.insert_or_assign(content, value);
    return value;
  }

  // Those that nobody uses are among them for a while.
  size_t size() const { return values_.size(); }

 private:
  static constexpr size_t kLeastToForgetAt = 16;

  void ForgetUnused() {
    absl::erase_if(values_,
                   [](const auto& entry) { return entry.second.expired(); });
    forget_at_ = std::max(kLeastToForgetAt, 2 * values_.size());
  }

  absl::flat_hash_map<std::string, std::weak_ptr<const T>> values_;
  size_t forget_at_ = kLeastToForgetAt;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_SHARED_SHARED_BY_CONTENT_H_
