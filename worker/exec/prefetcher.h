#ifndef HYDRA_WORKER_EXEC_PREFETCHER_H_
#define HYDRA_WORKER_EXEC_PREFETCHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/block_io.h"
#include "worker/exec/device_cache.h"

namespace hydra {

// Fetches what a pass will read, and what the tasks after it will, while the
// device computes ("double buffering", section 2.3 of the paper).
// Only where there is room: it takes none of the memory that is in use, or from
// what is read sooner, and what it fetched makes room again when it must.
//
// One thread, the pass's. Everything given to it outlives it.
class Prefetcher {
 public:
  // A task that will be run later.
  struct ComingTask {
    // What it promotes, in order, see WholeReads.
    std::vector<worker::v1::BlockVersion> reads;
    // Not fetched for those behind it: they are not there yet.
    std::vector<VersionId> makes;
  };
  // The one behind the running one and `index` others; none: nobody knows it
  // yet.
  using FindComing = std::function<std::optional<ComingTask>(int index)>;

  // `reads`: what the running task promotes, in order, see WholeReads.
  // `room_bytes`: of the device, what the running task does not need.
  Prefetcher(BlockIo* io, DeviceCache* cache, const worker::v1::Task& task,
             std::vector<worker::v1::BlockVersion> reads,
             FindComing find_coming, int64_t room_bytes);
  // The cache expects nothing any more.
  ~Prefetcher();

  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Fetches for the running task, as far as there is room now. Waits for
  // nothing. False if there is none for all of it.
  bool FetchOwn();

  // The same, and once that is done, for the coming tasks, one after another:
  // to be called when the running one needs nothing else of the link before.
  // Others have taken `taken_bytes` of the room meanwhile.
  void FetchNext(int64_t taken_bytes);

  int64_t room_bytes() const { return room_bytes_; }

 private:
  struct Read {
    worker::v1::BlockVersion version;
    bool fetched = false;
  };

  // Tells the cache what is still to be read.
  void Expect();
  // Learns of the coming tasks that are known by now: even what is not fetched
  // for them should stay, if it is on the device.
  void AskForComing();

  BlockIo* const io_;
  DeviceCache* const cache_;
  const FindComing find_coming_;
  const int64_t room_bytes_;

  std::vector<Read> own_;
  std::vector<Read> coming_;
  // How many tasks these are of, and what they and the running one make.
  int coming_tasks_ = 0;
  absl::flat_hash_set<VersionId> made_;
  // Of those that were fetched.
  int64_t coming_bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PREFETCHER_H_
