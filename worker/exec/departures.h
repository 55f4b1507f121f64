#ifndef HYDRA_WORKER_EXEC_DEPARTURES_H_
#define HYDRA_WORKER_EXEC_DEPARTURES_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "common/ids/ids.h"
#include "worker/device/device.h"

namespace hydra {

// The block versions that tasks made and that are on their way to the host.
// Until one is there, nobody may read its slot but copies to the device, which
// the device keeps in order, and nobody may change its tensor.
//
// Not thread-safe. LibTorch's exceptions pass through.
class Departures {
 public:
  // `device` outlives this.
  explicit Departures(Device* device) : device_(device) {}

  Departures(const Departures&) = delete;
  Departures& operator=(const Departures&) = delete;

  // A copy of some of the version's bytes to the host; `mark` is newer than all
  // before.
  void Add(VersionId version, const Mark& mark, int64_t bytes);

  // Lets operations issued from now on change the version's tensor.
  void WaitFor(VersionId version);
  // Waits until the host may read the version's slot.
  void Await(VersionId version);
  // What such a wait is for.
  Mark NewestOf(VersionId version) const;

  // Lets operations wait until no more than `bytes` are on their way.
  void LimitTo(int64_t bytes);

  // How many are on their way.
  int64_t Bytes();

 private:
  struct Departure {
    VersionId version;
    Mark mark;
    int64_t bytes = 0;
  };

  void ForgetOldest();
  void ForgetDone();

  Device* const device_;
  // The oldest first. Operations wait for the first of them already: their
  // bytes do not count.
  std::deque<Departure> departures_;
  size_t waited_ = 0;
  int64_t bytes_ = 0;
  absl::flat_hash_map<VersionId, Mark> newest_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_DEPARTURES_H_
