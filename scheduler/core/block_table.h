#ifndef HYDRA_SCHEDULER_CORE_BLOCK_TABLE_H_
#define HYDRA_SCHEDULER_CORE_BLOCK_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "common/ids/ids.h"
#include "common/pool/slot_allocator.h"
#include "scheduler/core/block_key.h"

namespace hydra {

// One version of a block: known to be all zero, or in a slot of the pool.
struct Version {
  VersionId id;
  int64_t size_bytes = 0;
  // None: the version is zero.
  std::optional<Slot> slot;
};

// Every block's current version, and the pool's slots. A fresh version is made
// in a slot of its own; only Commit makes it current and frees the one before.
// So each slot is free, or a current version's, or a fresh one's: never two.
//
// Not thread-safe. The caller keeps the fresh versions, and commits or discards
// each of them exactly once.
class BlockTable {
 public:
  // Slots are cut from [first_byte, first_byte + size_bytes) of the pool.
  BlockTable(int64_t first_byte, int64_t size_bytes);

  // A fresh version with an id that was never issued before; none if no free
  // range is long enough.
  std::optional<Version> Make(int64_t size_bytes);

  // `version` is `key`'s current one; the one before is gone, its slot free.
  void Commit(JobId job, const BlockKey& key, const Version& version);
  // As if a zero version had been made and committed; takes no slot.
  void CommitZero(JobId job, const BlockKey& key, int64_t size_bytes);
  // A fresh version that nobody can write any more is gone, its slot free.
  void Discard(const Version& version);
  // The block is gone, its slot free. Does nothing for an unknown one.
  void End(JobId job, const BlockKey& key);
  // All blocks of the job are gone.
  void EndAll(JobId job);

  // Null if there is none. Valid until the next change.
  const Version* Find(JobId job, const BlockKey& key) const;

  int64_t used_bytes() const { return slots_.used_bytes(); }
  int64_t free_bytes() const { return slots_.free_bytes(); }

  // CHECKs that the slots in use are those of the current versions and of
  // `fresh`, all different.
  void CheckInvariants(const std::vector<Version>& fresh) const;

 private:
  using Blocks = absl::btree_map<BlockKey, Version>;

  SlotAllocator slots_;
  absl::flat_hash_map<JobId, Blocks> jobs_;
  uint64_t last_version_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_BLOCK_TABLE_H_
