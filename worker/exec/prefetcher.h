#ifndef HYDRA_WORKER_EXEC_PREFETCHER_H_
#define HYDRA_WORKER_EXEC_PREFETCHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/block_io.h"
#include "worker/exec/device_cache.h"

namespace hydra {

// Fetches what a pass will read, and what the task after it will, while the
// device computes ("double buffering", section 2.3 of the paper).
// Only where there is room: it takes none of the memory that is in use, or from
// what is read sooner, and what it fetched makes room again when it must.
//
// One thread, the pass's. Everything given to it outlives it.
class Prefetcher {
 public:
  // What the next task reads, in order; asked until it says something. Versions
  // that the running task makes are not fetched.
  using NextReads = std::function<std::vector<worker::v1::BlockVersion>()>;

  // `reads`: what the running task promotes, in order, see WholeReads.
  // `room_bytes`: of the device, what the running task does not need.
  Prefetcher(BlockIo* io, DeviceCache* cache, const worker::v1::Task& task,
             std::vector<worker::v1::BlockVersion> reads, NextReads next,
             int64_t room_bytes);
  // The cache expects nothing any more.
  ~Prefetcher();

  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Fetches for the running task, as far as there is room now. Waits for
  // nothing.
  void FetchOwn();

  // The same, and once that is done, for the next task: to be called when the
  // running one needs nothing else of the link before. Others have taken
  // `taken_bytes` of the room meanwhile.
  void FetchNext(int64_t taken_bytes);

  int64_t room_bytes() const { return room_bytes_; }

 private:
  // Tells the cache what is still to be read.
  void Expect();
  void AskForNext();

  BlockIo* const io_;
  DeviceCache* const cache_;
  const worker::v1::Task& task_;
  const NextReads next_;

  std::vector<worker::v1::BlockVersion> own_;
  std::vector<worker::v1::BlockVersion> following_;
  // How many of them were fetched.
  size_t own_fetched_ = 0;
  size_t following_fetched_ = 0;
  int64_t following_bytes_ = 0;
  const int64_t room_bytes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PREFETCHER_H_
