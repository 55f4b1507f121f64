#ifndef HYDRA_WORKER_EXEC_BLOCK_IO_H_
#define HYDRA_WORKER_EXEC_BLOCK_IO_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/chain/kind_bytes.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/device.h"
#include "worker/device/host_buffers.h"
#include "worker/exec/departures.h"
#include "worker/exec/device_cache.h"
#include "worker/exec/host_updates.h"

namespace hydra {

// The pool's bytes [offset, offset + bytes).
using HostRange =
    std::function<absl::Span<std::byte>(int64_t offset, int64_t bytes)>;

// Moves blocks between the pool and the device for one task, and counts what it
// moved. Blocks are fp32 and flat; counts and places are elements.
//
// Copies to the device are waited for before anything that is given here is
// used; those to the host are not. So a task's slots are others' once `written`
// is done, or, if it failed, the device is synchronized. A task reads nothing
// of what it has demoted but by promoting ranges, and calls MakeWritable before
// it changes a version's tensor.
//
// One thread. LibTorch's exceptions pass through.
class BlockIo {
 public:
  // Whether a version is worth keeping on the device once this task is done.
  enum class Reuse { kLikely, kNever };

  // What tasks make that the host has not got yet.
  struct Outbound {
    explicit Outbound(Device* device) : departures(device) {}

    Departures departures;
    HostUpdates updates;
    // How long tasks have waited for copies, up to now.
    std::atomic<int64_t> waited_ns = 0;
  };

  // `cache` may be null: then nothing is kept. `outbound` is that of all tasks;
  // null: nobody asks for what this one makes, and this waits for it at its
  // end.
  BlockIo(Device* device, HostRange host, DeviceCache* cache,
          Outbound* outbound = nullptr);
  // Waits until nothing is read of what it has staged.
  ~BlockIo();

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

  // The same, for whoever waits for the mark before `to` is used.
  Mark BeginPromoteRange(const worker::v1::BlockVersion& version, int64_t first,
                         const at::Tensor& to);
  void WaitFor(const Mark& mark);

  // Copies host memory that is no block's into all of `to`, uncounted, by way
  // of a buffer that the device copies fast from: `from` is the caller's again.
  void PromoteBytes(absl::Span<const std::byte> from, const at::Tensor& to);

  enum class Prefetched {
    kBegun,
    // It would take room which others have that are read sooner.
    kNoRoom,
    // The host is still making it.
    kBeingMade,
  };
  // Begins to promote all of a version into the cache, for this task or for one
  // after it, if it can be done at once. It is counted when it is promoted.
  Prefetched Prefetch(const worker::v1::BlockVersion& version);

  // The first `count` elements for reading a few of them: on the device if they
  // are there already, else a view of the pool.
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

  // Writes `from` to the version's slot, from element `first` on. If more than
  // some bytes are on their way to the host, waits for the oldest of them.
  // Once the mark is waited for, `from` may be written over.
  Mark Demote(const at::Tensor& from, const worker::v1::BlockVersion& version,
              int64_t first);

  // Copies `from` to host memory that is no block's, for the host to make the
  // version of it. Else as Demote. Returns when it is there.
  Mark DemoteFor(const worker::v1::BlockVersion& version,
                 const at::Tensor& from, absl::Span<std::byte> to);

  // Zeroes the slot behind element `first`: whoever reads the whole slot must
  // not see what lay there before.
  void ZeroTail(const worker::v1::BlockVersion& version, int64_t first);

  // All of the version's slot, for the host's own thread: to read, once the
  // mark is done and after what HostUpdates was given before; or to write.
  struct HostSlot {
    // Null: known to be zero.
    float* floats = nullptr;
    Mark there;
  };
  HostSlot SlotOnHost(const worker::v1::BlockVersion& version);

  // What the host makes of what this task demotes.
  HostUpdates& updates() { return outbound_->updates; }
  // Of the device's, for what is to be demoted to it. Waits until there is
  // room, which counts as waiting for copies.
  HostBuffers::Buffer TakeHostBuffer(int64_t bytes);
  // What was given to the host so far makes this version, and counts as this
  // task's.
  void MadeOnHost(const worker::v1::BlockVersion& version);

  // Offers a version that this task made and demoted to the cache.
  void Keep(const worker::v1::BlockVersion& version, at::Tensor tensor);

  // The cache forgets the version.
  void Forget(const worker::v1::BlockVersion& version);

  // The same, and operations may change its tensor.
  void MakeWritable(const worker::v1::BlockVersion& version);

  // At most so many bytes are to be on their way to the host.
  void LimitDepartures(int64_t bytes) { most_departing_bytes_ = bytes; }

  // The cache forgets every version that this task made.
  void Rollback();

  // Device bytes in use, or with a negative number no more, that the task does
  // not need yet and does not need to have now.
  void AddBegunBytes(int64_t bytes) { begun_bytes_ += bytes; }

  // Of the device's bytes in use, what the task could do without at present.
  int64_t SpareBytes();
  // Of these, what is only on its way to the host.
  int64_t DepartingBytes() { return outbound_->departures.Bytes(); }

  // Waits until nothing is read of the host any more but by Prefetch.
  void AwaitReads();
  // When the host has all that this task made.
  struct Written {
    Mark copied;
    // Of HostUpdates, behind the first of these numbers.
    uint64_t made_after = 0;
    uint64_t made = 0;
  };
  Written written() const { return {last_demoted_, made_after_, last_made_}; }
  // All that updates() was given until now is part of that: the task's results
  // have it, though it may write nothing.
  void CountUpdates() { last_made_ = updates().newest(); }

  // Waits for what the host makes for this task.
  void AwaitUpdates();
  // Waits for that and for the device, and counts it as waiting for copies:
  // operations are to be done already.
  void Synchronize();

  // An uninitialized fp32 tensor on the device.
  at::Tensor Empty(at::IntArrayRef shape) const;

  Device& device() { return *device_; }
  int64_t promoted_bytes() const { return promoted_.bytes; }
  int64_t demoted_bytes() const { return demoted_.bytes; }
  int64_t cached_bytes() const { return cached_.bytes; }
  const hydra::v1::KindBytes& promoted_by_kind() const {
    return promoted_.by_kind;
  }
  const hydra::v1::KindBytes& demoted_by_kind() const {
    return demoted_.by_kind;
  }
  const hydra::v1::KindBytes& cached_by_kind() const { return cached_.by_kind; }
  // How long copies between host and device were waited for.
  absl::Duration copy_time() const { return copy_time_; }

 private:
  class Waiting;

  struct Counter {
    int64_t bytes = 0;
    hydra::v1::KindBytes by_kind;

    void Add(const worker::v1::BlockVersion& version, int64_t more) {
      bytes += more;
      AddBytes(version.kind(), more, by_kind);
    }
  };

  void AwaitUpdate(const worker::v1::BlockVersion& version);
  absl::Span<std::byte> SlotRange(const worker::v1::BlockVersion& version,
                                  int64_t first, int64_t count) const;

  // Elements that are counted, ready for operations. Undefined if the cache has
  // not got them.
  at::Tensor TakeCached(const worker::v1::BlockVersion& version, int64_t first,
                        int64_t count);
  // The buffers of copies that are done are others' again; those of others only
  // with kOldest and kAll, which wait.
  enum class Unstage { kDone, kOldest, kAll };
  void EndStaged(Unstage which);
  // For a version that may stay on the device. Without a cache none does, and
  // all memory is used as a pilot, which has none, used it.
  at::Tensor EmptyForCache(int64_t count) const;
  Mark CopyToDevice(absl::Span<const std::byte> from, const at::Tensor& to);
  at::Tensor SlotInPlace(const worker::v1::BlockVersion& version, int64_t first,
                         int64_t count) const;

  Device* const device_;
  const HostRange host_;
  DeviceCache* const cache_;
  std::unique_ptr<Outbound> own_outbound_;
  Outbound* const outbound_;
  int64_t most_departing_bytes_ = std::numeric_limits<int64_t>::max();

  // What copies to the device read, in their order.
  struct Staged {
    Mark copied;
    HostBuffers::Buffer buffer;
  };
  std::deque<Staged> staged_;
  std::vector<VersionId> made_;
  Mark last_promoted_{CopyLane::kPromote, 0};
  Mark last_demoted_{CopyLane::kDemote, 0};
  const uint64_t made_after_;
  uint64_t last_made_ = 0;
  int64_t begun_bytes_ = 0;
  Counter promoted_;
  Counter demoted_;
  Counter cached_;
  absl::Duration copy_time_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BLOCK_IO_H_
