#ifndef HYDRA_WORKER_EXEC_DEVICE_CACHE_H_
#define HYDRA_WORKER_EXEC_DEVICE_CACHE_H_

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/ids/ids.h"
#include "worker/device/device.h"

namespace hydra {

// Block versions that are on the device, or on their way there, as flat
// tensors. Room is made when the arena asks for it: first the version used
// least recently of those that nobody is known to read soon, then the one that
// is read last. A version whose memory anybody else holds is in use; evicting
// it would free nothing, so it stays.
//
// Thread-safe. One cache for one arena, which must outlive it. A version's
// tensor must not change while it is here.
class DeviceCache {
 public:
  struct Block {
    at::Tensor tensor;
    // What operations must wait for before they use it.
    Mark ready;
    // It was put here before anybody needed it, and this is its first use.
    bool prefetched = false;
  };

  explicit DeviceCache(DeviceArena* arena);
  ~DeviceCache();

  DeviceCache(const DeviceCache&) = delete;
  DeviceCache& operator=(const DeviceCache&) = delete;

  // Replaces what the version had before.
  void Put(VersionId version, Block block) ABSL_LOCKS_EXCLUDED(mu_);

  // Marks the version as used now.
  std::optional<Block> Get(VersionId version) ABSL_LOCKS_EXCLUDED(mu_);
  // Does not.
  std::optional<Block> Peek(VersionId version) const ABSL_LOCKS_EXCLUDED(mu_);

  bool Contains(VersionId version) const ABSL_LOCKS_EXCLUDED(mu_);

  // Do nothing for what is not here.
  void Drop(VersionId version) ABSL_LOCKS_EXCLUDED(mu_);
  void DropAll() ABSL_LOCKS_EXCLUDED(mu_);

  // The versions that will be read, in that order, whether they are here or
  // not. Replaces what was expected before.
  void Expect(absl::Span<const VersionId> versions) ABSL_LOCKS_EXCLUDED(mu_);

  // Frees one version that nobody is known to read soon; false: there is none.
  bool EvictUnexpected() ABSL_LOCKS_EXCLUDED(mu_);

  int64_t version_count() const ABSL_LOCKS_EXCLUDED(mu_);
  // The most recently used one first.
  std::vector<VersionId> Versions() const ABSL_LOCKS_EXCLUDED(mu_);

  // Of the versions that are not in use: their memory could be another's.
  // Linear in the number of versions.
  int64_t SpareBytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    VersionId version;
    Block block;
  };
  using Entries = std::list<Entry>;

  static bool IsInUse(const Entry& entry);
  // Where the version comes among those expected; after all if it is not.
  int64_t RankOf(VersionId version) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // Frees one version; false if all are in use.
  bool EvictOne() ABSL_LOCKS_EXCLUDED(mu_);
  // Of those that rank `least` or later, the last one, and of several the one
  // used least recently.
  bool Evict(int64_t least) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  DeviceArena* const arena_;

  mutable absl::Mutex mu_;
  // The most recently used one first.
  Entries entries_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<VersionId, Entries::iterator> by_version_
      ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<VersionId, int64_t> ranks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_DEVICE_CACHE_H_
