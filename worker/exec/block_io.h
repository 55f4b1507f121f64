#ifndef HYDRA_WORKER_EXEC_BLOCK_IO_H_
#define HYDRA_WORKER_EXEC_BLOCK_IO_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/device.h"
#include "worker/exec/device_cache.h"

namespace hydra {

// The pool's bytes [offset, offset + bytes).
using HostRange =
    std::function<absl::Span<std::byte>(int64_t offset, int64_t bytes)>;

// Moves blocks between the pool and the device for one task, and counts what it
// moved. Blocks are fp32 and flat; counts and places are elements.
//
// The device's copies are asynchronous: whoever owns a BlockIo synchronizes the
// device at the task's end, also if it fails. Until then slots are the
// device's; a task never reads what it has demoted.
//
// One thread. LibTorch's exceptions pass through.
class BlockIo {
 public:
  // Whether a version is worth keeping on the device once this task is done.
  enum class Reuse { kLikely, kNever };

  // `cache` may be null: then nothing is kept.
  BlockIo(Device* device, HostRange host, DeviceCache* cache);

  BlockIo(const BlockIo&) = delete;
  BlockIo& operator=(const BlockIo&) = delete;

  // The first `count` elements: from the cache, of zeros, or copied. With
  // kNever the cache forgets the version, so that it goes when the caller drops
  // it.
  at::Tensor Promote(const worker::v1::BlockVersion& version, int64_t count,
                     Reuse reuse);

  // Copies the elements from `first` on into all of `to`.
  void PromoteRange(const worker::v1::BlockVersion& version, int64_t first,
                    const at::Tensor& to);

  // The first `count` elements for reading a few of them: on the device if they
  // are there, else a view of the pool.
  at::Tensor View(const worker::v1::BlockVersion& version, int64_t count);

  // Where the device's memory is host memory: `count` elements from `first` on,
  // to be read where they are, on the device or in the pool. Undefined if they
  // are known to be zero. They count as if they were promoted.
  at::Tensor ReadInPlace(const worker::v1::BlockVersion& version, int64_t first,
                         int64_t count);

  // There too: the elements of the version's slot, to be written by the caller.
  // They count as demoted.
  at::Tensor WriteInPlace(const worker::v1::BlockVersion& version,
                          int64_t first, int64_t count);

  // Writes `from` to the version's slot, from element `first` on.
  void Demote(const at::Tensor& from, const worker::v1::BlockVersion& version,
              int64_t first);

  // Zeroes the slot behind element `first`: whoever reads the whole slot must
  // not see what lay there before.
  void ZeroTail(const worker::v1::BlockVersion& version, int64_t first);

  // Offers a version that this task made and demoted to the cache.
  void Keep(const worker::v1::BlockVersion& version, at::Tensor tensor);

  // The cache forgets the version; to be called before its tensor changes.
  void Forget(const worker::v1::BlockVersion& version);

  // The cache forgets every version that this task made.
  void Rollback();

  // An uninitialized fp32 tensor on the device.
  at::Tensor Empty(at::IntArrayRef shape) const;

  Device& device() { return *device_; }
  int64_t promoted_bytes() const { return promoted_bytes_; }
  int64_t demoted_bytes() const { return demoted_bytes_; }
  int64_t cached_bytes() const { return cached_bytes_; }
  // What the copies between host and device took, as far as they were waited
  // for.
  absl::Duration copy_time() const { return copy_time_; }

 private:
  absl::Span<std::byte> SlotRange(const worker::v1::BlockVersion& version,
                                  int64_t first, int64_t count) const;

  at::Tensor SlotInPlace(const worker::v1::BlockVersion& version, int64_t first,
                         int64_t count) const;

  // Undefined if the cache has not got so many elements of it.
  at::Tensor Cached(const worker::v1::BlockVersion& version, int64_t count);

  Device* const device_;
  const HostRange host_;
  DeviceCache* const cache_;

  std::vector<VersionId> made_;
  int64_t promoted_bytes_ = 0;
  int64_t demoted_bytes_ = 0;
  int64_t cached_bytes_ = 0;
  absl::Duration copy_time_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BLOCK_IO_H_
