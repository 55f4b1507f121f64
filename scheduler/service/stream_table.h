#ifndef HYDRA_SCHEDULER_SERVICE_STREAM_TABLE_H_
#define HYDRA_SCHEDULER_SERVICE_STREAM_TABLE_H_

#include <atomic>
#include <functional>
#include <list>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "scheduler/core/caller.h"

namespace hydra {

// How many streams of one kind may be open.
struct StreamLimits {
  int total = 0;
  int for_each_user = 0;
};

// The open streams of one kind, or the calls: bounds how many there are, since
// each costs memory or a thread, and wakes those that want it when the server
// stops. Thread-safe; outlives
// its slots.
class StreamTable {
 public:
  // The place of one stream. Not thread-safe.
  class Slot {
   public:
    Slot() = default;
    Slot(Slot&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), place_(other.place_) {}
    Slot& operator=(Slot&& other) = delete;
    // Returns when the stream is not being woken.
    ~Slot();

   private:
    friend class StreamTable;
    struct Stream {
      Caller caller;
      std::function<void()> wake;
    };
    StreamTable* table_ = nullptr;
    std::list<Stream>::iterator place_;
  };

  // `what`: for people, such as "watch streams".
  StreamTable(std::string what, const StreamLimits& limits)
      : what_(std::move(what)), limits_(limits) {}

  // `wake` is called once, when the server stops, on any thread; it must not
  // open or close streams.
  //
  // RESOURCE_EXHAUSTED: this user, or all together, have too many.
  // As Stopping: the server stops.
  absl::StatusOr<Slot> Open(const Caller& caller, std::function<void()> wake)
      ABSL_LOCKS_EXCLUDED(mu_);

  void Stop() ABSL_LOCKS_EXCLUDED(mu_);
  bool stopped() const { return stopped_; }

 private:
  void Close(std::list<Slot::Stream>::iterator place) ABSL_LOCKS_EXCLUDED(mu_);

  const std::string what_;
  const StreamLimits limits_;
  std::atomic<bool> stopped_ = false;
  absl::Mutex mu_;
  std::list<Slot::Stream> streams_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Caller, int> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_STREAM_TABLE_H_
