#ifndef HYDRA_WORKER_EXEC_DEVICE_CACHE_H_
#define HYDRA_WORKER_EXEC_DEVICE_CACHE_H_

#include <cstdint>
#include <list>
#include <optional>

#include "ATen/core/Tensor.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/ids/ids.h"
#include "worker/device/device_arena.h"

namespace hydra {

// Block versions that are still on the device, as flat tensors. Room is made
// when the arena asks for it: the version used least recently goes first. A
// version whose memory anybody else holds is in use; evicting it would free
// nothing, so it stays.
//
// Thread-safe. One cache for one arena, which must outlive it. A version's
// tensor must not change while it is here.
class DeviceCache {
 public:
  explicit DeviceCache(DeviceArena* arena);
  ~DeviceCache();

  DeviceCache(const DeviceCache&) = delete;
  DeviceCache& operator=(const DeviceCache&) = delete;

  // Replaces what the version had before.
  void Put(VersionId version, at::Tensor tensor) ABSL_LOCKS_EXCLUDED(mu_);

  // Marks the version as used now.
  std::optional<at::Tensor> Get(VersionId version) ABSL_LOCKS_EXCLUDED(mu_);

  // Do nothing for what is not here.
  void Drop(VersionId version) ABSL_LOCKS_EXCLUDED(mu_);
  void DropAll() ABSL_LOCKS_EXCLUDED(mu_);

  int64_t version_count() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    VersionId version;
    at::Tensor tensor;
  };
  using Entries = std::list<Entry>;

  // Frees one version; false if all are in use.
  bool EvictOne() ABSL_LOCKS_EXCLUDED(mu_);

  DeviceArena* const arena_;

  mutable absl::Mutex mu_;
  // The most recently used one first.
  Entries entries_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<VersionId, Entries::iterator> by_version_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_DEVICE_CACHE_H_
