#ifndef HYDRA_SCHEDULER_SIM_SIM_WORKER_H_
#define HYDRA_SCHEDULER_SIM_SIM_WORKER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// The pool of a simulated machine: which version's bytes lie at each offset.
using SimPool = std::map<int64_t, uint64_t>;

// A worker process without a device: it keeps the protocol's promises, and
// "computes" by checking that each slot it reads holds the version it was
// promised, before and after, and by writing its versions' ids. Not
// thread-safe.
class SimWorker {
 public:
  // The pool is borrowed.
  explicit SimWorker(SimPool* pool) : pool_(pool) {}

  // Takes over a message unless it is older than one before.
  void Apply(const hydra::worker::v1::DesiredState& desired);
  // Begins the next held task if none is computing; its id.
  std::optional<uint64_t> Begin();
  // Ends the computing task. `fail`: it reports an error.
  void Finish(bool fail);
  bool computing() const { return computing_.has_value(); }
  // The kind of the computing task.
  hydra::worker::v1::TaskKind kind() const { return computing_->kind(); }
  // A new message that says all.
  hydra::worker::v1::WorkerReport Report();

 private:
  void CheckReads(const hydra::worker::v1::Task& task) const;
  hydra::worker::v1::TaskReport ResultOf(
      const hydra::worker::v1::Task& task) const;

  SimPool* const pool_;
  std::vector<hydra::worker::v1::Task> held_;
  std::optional<hydra::worker::v1::Task> computing_;
  std::vector<hydra::worker::v1::TaskReport> reports_;
  // Every task that ever began here.
  std::set<uint64_t> begun_;
  std::set<uint64_t> failed_jobs_;
  uint64_t desired_sequence_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_WORKER_H_
