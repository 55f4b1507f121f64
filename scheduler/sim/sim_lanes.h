#ifndef HYDRA_SCHEDULER_SIM_SIM_LANES_H_
#define HYDRA_SCHEDULER_SIM_SIM_LANES_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// What the tasks of simulated devices take, which update parameters on the
// host.
struct LaneTimes {
  // What a task computes, without any copy.
  std::function<absl::Duration(const worker::v1::Task&)> compute;
  // A block of which the task reads some rows alone, on the host. Null: none.
  std::function<bool(const worker::v1::Task&, const worker::v1::BlockVersion&)>
      gathered;
  // Each way.
  double bytes_per_second = 0;
  // Room for blocks beside those of the task that computes.
  int64_t cache_bytes = 0;
  // Copies go beside computing, and a held task's blocks come while another one
  // computes, as far as there is room.
  bool copies_beside = true;
};

// When a simulated device with three lanes (it computes, copies in, copies out)
// is done with what it is given, and which blocks it then has. Not thread-safe.
class SimLanes {
 public:
  explicit SimLanes(const LaneTimes& times) : times_(times) {}

  struct Done {
    // What it reads is there.
    absl::Time begun;
    absl::Time computed;
    // All that it made is on the host.
    absl::Time written;
  };
  // The device begins the task at `now`, and has known of it since `known`.
  Done Run(const worker::v1::Task& task, absl::Time known, absl::Time now);

  // Versions that are on the device.
  std::vector<uint64_t> Versions() const;

  // Bytes that went over the link.
  int64_t moved_bytes() const { return moved_bytes_; }

 private:
  struct Cached {
    uint64_t version;
    int64_t bytes;
  };

  // Whether the task has the block on its device.
  bool Moves(const worker::v1::Task& task,
             const worker::v1::BlockVersion& block) const;
  // The version is the one used most recently.
  void Use(uint64_t version, int64_t bytes);
  bool Has(uint64_t version) const { return by_version_.count(version) > 0; }
  absl::Duration TimeOf(int64_t bytes) const;

  const LaneTimes times_;
  absl::Time in_free_ = absl::InfinitePast();
  absl::Time out_free_ = absl::InfinitePast();
  // The most recently used one first.
  std::list<Cached> cache_;
  std::map<uint64_t, std::list<Cached>::iterator> by_version_;
  int64_t cached_bytes_ = 0;
  int64_t moved_bytes_ = 0;
  // When what this device made was on the host. Others read it later.
  std::map<uint64_t, absl::Time> written_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_LANES_H_
