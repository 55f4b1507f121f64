#ifndef HYDRA_WORKER_EXEC_CONTENT_CACHE_H_
#define HYDRA_WORKER_EXEC_CONTENT_CACHE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace hydra {

// Values that can be made again from what their keys say, so that all who ask
// for the same content share one. Room is made by the bytes that each value is
// said to take, its key and its place here: what was used least recently goes
// first. A value that somebody still holds lives on until then.
//
// Not thread-safe.
template <typename Value>
class ContentCache {
 public:
  // What an entry takes beside its value and its key, generously: its nodes,
  // and what allocators and the value's own object add.
  static constexpr int64_t kEntryBytes = 512;

  explicit ContentCache(int64_t capacity_bytes)
      : capacity_bytes_(capacity_bytes) {}

  // Marks the value as used now. Null: it is not here.
  std::shared_ptr<Value> Find(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
    return found->second->value;
  }

  // `key` must not be here yet. The newest value stays, however large it is.
  // `bytes`: the value's alone.
  void Put(std::string key, std::shared_ptr<Value> value, int64_t bytes) {
    // The key is here twice.
    bytes += kEntryBytes + 2 * static_cast<int64_t>(key.size());
    newest_first_.push_front({key, std::move(value), bytes});
    by_key_.emplace(std::move(key), newest_first_.begin());
    bytes_ += bytes;
    while (bytes_ > capacity_bytes_ && newest_first_.size() > 1) {
      bytes_ -= newest_first_.back().bytes;
      by_key_.erase(newest_first_.back().key);
      newest_first_.pop_back();
    }
  }

  // Of all entries that are here.
  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<Value> value;
    int64_t bytes;
  };
  using Entries = std::list<Entry>;

  const int64_t capacity_bytes_;
  Entries newest_first_;
  absl::flat_hash_map<std::string, typename Entries::iterator> by_key_;
  int64_t bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_CONTENT_CACHE_H_
