#ifndef HYDRA_SCHEDULER_CORE_BLOCK_TABLE_H_
#define HYDRA_SCHEDULER_CORE_BLOCK_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/chain/block_key.h"
#include "common/ids/ids.h"
#include "common/pool/slot_allocator.h"

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
// So each slot is free, or a current version's, or a fresh one's, or that of a
// version which was replaced while it was pinned: never two. A current version
// may be that of several jobs' blocks; it goes when the last of them does.
//
// Not thread-safe. The caller keeps the fresh versions, and commits or discards
// each of them exactly once.
class BlockTable {
 public:
  // Slots are cut from [first_byte, first_byte + size_bytes) of the pool. Every
  // version's id is above `last_version`.
  BlockTable(int64_t first_byte, int64_t size_bytes, uint64_t last_version = 0);

  // A fresh version with an id that was never issued before; none if no free
  // range is long enough.
  std::optional<Version> Make(int64_t size_bytes);

  // `version` is `key`'s current one; the one before is gone, its slot free.
  void Commit(JobId job, const BlockKey& key, const Version& version);
  // As if a zero version had been made and committed; takes no slot.
  void CommitZero(JobId job, const BlockKey& key, int64_t size_bytes);
  // `version`, another job's current one, is `key`'s, too, which had none.
  void Share(const Version& version, JobId job, const BlockKey& key);
  // A fresh version that nobody can write any more is gone, its slot free.
  void Discard(const Version& version);
  // The block is gone, its slot free. Does nothing for an unknown one.
  void End(JobId job, const BlockKey& key);
  // All blocks of the job are gone.
  void EndAll(JobId job);

  // A version that an earlier daemon made is there: as a fresh one, or as
  // `key`'s current one. False, and nothing changed: its slot is not free.
  bool AdoptFresh(const Version& version);
  bool AdoptCurrent(JobId job, const BlockKey& key, const Version& version);

  // The job's current `version` stays as it is until Unpin, replaced or not.
  void Pin(JobId job, const Version& version);
  void Unpin(const Version& version);
  // Bytes of the job's, or all jobs', pinned versions that were replaced.
  int64_t kept_bytes(JobId job) const;
  int64_t kept_bytes() const { return kept_bytes_; }
  bool pinned(const Version& version) const {
    return pins_.count(version.id) != 0;
  }

  // All of the job's blocks, by key; null if it has none. Valid until the next
  // change.
  const std::map<BlockKey, Version>* BlocksOf(JobId job) const;

  // Null if there is none. Valid until the next change.
  const Version* Find(JobId job, const BlockKey& key) const;

  int64_t used_bytes() const { return slots_.used_bytes(); }
  int64_t free_bytes() const { return slots_.free_bytes(); }
  // Of these, the most that lie together.
  int64_t largest_free_bytes() const { return slots_.largest_free_bytes(); }

  // CHECKs that the slots in use are those of the current versions, of the
  // kept ones and of `fresh`, all different.
  void CheckInvariants(const std::vector<Version>& fresh) const;

 private:
  using Blocks = std::map<BlockKey, Version>;

  struct PinRecord {
    JobId job;
    Version version;
    bool replaced = false;
  };

  SlotAllocator slots_;
  std::unordered_map<JobId, Blocks> jobs_;
  std::unordered_map<VersionId, PinRecord> pins_;
  // Of shared versions: how many blocks have them.
  std::unordered_map<VersionId, int> holders_;
  int64_t kept_bytes_ = 0;
  uint64_t last_version_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_BLOCK_TABLE_H_
