#ifndef HYDRA_SCHEDULER_SIM_SIM_WORKER_H_
#define HYDRA_SCHEDULER_SIM_SIM_WORKER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/sim/sim_pool.h"

namespace hydra {

// What simulated workers find in the world beside the pool.
struct SimSetup {
  // A pilot finds that so many layers fit the device together. Contents follow
  // from the partition: only worlds with one job may change it.
  int layers_per_shard = 1;
  // What a preparation makes of the text files.
  std::string token_file = "/cache/one.tokens";
  int64_t token_count = 200;
  // A device has room for so many layers of a shard at most, whatever a pilot
  // found that left nothing free. 0: for all.
  int layers_in_device = 0;
  // A begun task that nobody wants is broken off.
  bool stops_when_told = true;
  // The worker, if any, whose every task ends its process.
  int bad_device = -1;
  // The job, if any, whose every task ends its worker's process.
  uint64_t bad_job = 0;
  // By job, how long each of its tasks takes. Of others it is up to kTaskTime.
  std::map<uint64_t, absl::Duration> task_time;
};

// A worker process without a device: it keeps the protocol's promises, and
// "computes" by checking that each slot it reads holds the version it was
// promised, before and after, and by writing numbers that follow from what it
// read (see sim_pool.h). Not thread-safe.
class SimWorker {
 public:
  // What a process needs is borrowed.
  SimWorker(SimPool* pool, const SimCheckpoints* checkpoints,
            const SimSetup* setup)
      : pool_(pool), checkpoints_(checkpoints), setup_(setup) {}

  // Takes over a message unless it is older than one before.
  void Apply(const hydra::worker::v1::DesiredState& desired);
  // Begins the next held task if none is computing; its id.
  std::optional<uint64_t> Begin(absl::Time now);
  // Ends the computing task, with an error unless `failure` is OK. `nonfinite`:
  // if it trains, it reports a block that it could not update.
  void Finish(const absl::Status& failure, bool nonfinite);
  // Whether the computing task is one that the daemon does not want any more.
  bool ShouldStop() const;
  // The computing task gets on no more.
  void Hang() { hung_ = true; }
  bool computing() const { return computing_.has_value(); }
  // The computing one.
  const hydra::worker::v1::Task& task() const { return *computing_; }
  // A new message that says all.
  hydra::worker::v1::WorkerReport Report(absl::Time now);

 private:
  // What the daemon said of the task's job.
  const hydra::worker::v1::JobContext& ContextOf(
      const hydra::worker::v1::Task& task) const;
  // Whether a listed task of the job failed: then its followers do, too.
  bool HasFailed(uint64_t job) const;
  void CheckReads(const hydra::worker::v1::Task& task) const;
  // What stands for all that the task computes from.
  uint64_t InputOf(const hydra::worker::v1::Task& task) const;
  hydra::worker::v1::TaskReport ResultOf(
      const hydra::worker::v1::Task& task) const;
  // Writes what the task makes. Errors: the checkpoint's that it reads.
  absl::Status Write(const hydra::worker::v1::Task& task);

  SimPool* const pool_;
  const SimCheckpoints* const checkpoints_;
  const SimSetup* const setup_;
  std::vector<hydra::worker::v1::Task> held_;
  std::optional<hydra::worker::v1::Task> computing_;
  // By number.
  std::map<uint64_t, hydra::worker::v1::JobContext> contexts_;
  // Of the computing task's job, the bytes that its pilot leaves free.
  int64_t reserve_ = 0;
  std::set<uint64_t> cancelled_;
  absl::Time begun_at_;
  bool hung_ = false;
  std::vector<hydra::worker::v1::TaskReport> reports_;
  // Every task that ever began here.
  std::set<uint64_t> begun_;
  // Failed tasks that the daemon still lists, and their jobs.
  std::map<uint64_t, uint64_t> failed_;
  uint64_t desired_sequence_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_WORKER_H_
