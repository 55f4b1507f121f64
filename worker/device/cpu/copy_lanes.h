#ifndef HYDRA_WORKER_DEVICE_CPU_COPY_LANES_H_
#define HYDRA_WORKER_DEVICE_CPU_COPY_LANES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "worker/device/cpu/link_model.h"
#include "worker/device/device.h"

namespace hydra {

// One copy to be done by a lane.
struct LaneCopy {
  // Copies the bytes; may throw. Holds the tensor, whose memory is kept until
  // then.
  std::function<void()> copy;
  // The host memory that it reads or writes.
  absl::Span<const std::byte> host;
};

// Two threads that copy over a link, one for each lane, as Device promises of
// its copies. A copy takes as long as the link needs for its bytes, or as the
// processor does if that is longer.
//
// Thread-safe, but copies are given by one thread.
class CopyLanes {
 public:
  explicit CopyLanes(const LinkModel& link);
  // Does what is left.
  ~CopyLanes();

  CopyLanes(const CopyLanes&) = delete;
  CopyLanes& operator=(const CopyLanes&) = delete;

  Mark Enqueue(CopyLane lane, LaneCopy copy) ABSL_LOCKS_EXCLUDED(mu_);

  bool IsDone(const Mark& mark) const ABSL_LOCKS_EXCLUDED(mu_);

  // Wait. What a copy threw is thrown as c10::Error, once, by whoever waits
  // next; the copies behind it were done.
  void Await(const Mark& mark) ABSL_LOCKS_EXCLUDED(mu_);
  void AwaitAll() ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for the oldest copy that is not done, of the lane to the host if
  // there is one. False: all are done. Never throws.
  bool AwaitOldest() ABSL_LOCKS_EXCLUDED(mu_);

  // How long the lane has copied, what is under way included.
  absl::Duration CopyTime(CopyLane lane) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    LaneCopy copy;
    absl::Time ready;
    // Of the other lane: what must be done before.
    uint64_t after = 0;
  };

  struct Lane {
    // Those not done; the first one may be under way.
    std::deque<Entry> entries;
    uint64_t done = 0;
    // In those done.
    absl::Duration copy_time;
    // Infinitely late: none is under way.
    absl::Time began = absl::InfiniteFuture();
    // When the newest one of those done was.
    absl::Time ended = absl::InfinitePast();

    uint64_t enqueued() const { return done + entries.size(); }
  };

  void Run(CopyLane lane) ABSL_LOCKS_EXCLUDED(mu_);
  bool MayBegin(CopyLane lane) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  void AwaitDone(const Mark& mark) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ThrowFailure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Lane& lane(CopyLane lane) ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return lanes_[static_cast<int>(lane)];
  }
  const Lane& lane(CopyLane lane) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return lanes_[static_cast<int>(lane)];
  }

  mutable absl::Mutex mu_;
  LinkTimeline link_ ABSL_GUARDED_BY(mu_);
  std::array<Lane, 2> lanes_ ABSL_GUARDED_BY(mu_);
  // What the oldest failed copy threw that nobody was told of.
  std::string failure_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;

  std::array<std::thread, 2> threads_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CPU_COPY_LANES_H_
