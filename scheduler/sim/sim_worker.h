#ifndef HYDRA_SCHEDULER_SIM_SIM_WORKER_H_
#define HYDRA_SCHEDULER_SIM_SIM_WORKER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/sim/sim_device.h"
#include "scheduler/sim/sim_pool.h"
#include "scheduler/sim/sim_setup.h"

namespace hydra {

// A worker process with a simulated device: it keeps the protocol's promises,
// and checks what a task reads before and after it computes. Not thread-safe.
class SimWorker {
 public:
  // What a process needs is borrowed.
  SimWorker(SimPool* pool, const SimCheckpoints* checkpoints,
            const SimSetup* setup)
      : setup_(setup), device_(pool, checkpoints, setup) {}

  // Takes over a message unless it is older than one before.
  void Apply(const hydra::worker::v1::DesiredState& desired);
  // Begins the next held task if none is computing; its id.
  std::optional<uint64_t> Begin(absl::Time now);
  // What a task says that it took.
  struct Took {
    absl::Duration wall = absl::Seconds(1);
    // For copies.
    absl::Duration waited;
  };
  // Ends the computing task, with an error unless `failure` is OK. `nonfinite`:
  // if it trains, it reports a block that it could not update. False: what it
  // made is on its way to the host, or that of one before it is, and its report
  // waits for WriteBack.
  bool Finish(const Took& took, const absl::Status& failure, bool nonfinite,
              bool written_later);
  // What the oldest such task made is there. Does nothing if there is none.
  void WriteBack();
  // Whether the computing task is one that the daemon does not want any more.
  bool ShouldStop() const;
  // The computing task gets on no more.
  void Hang() { computing_->hung = true; }
  bool computing() const { return computing_.has_value(); }
  // What these make is not all there.
  std::vector<hydra::worker::v1::Task> UnwrittenTasks() const;
  // The computing one.
  const hydra::worker::v1::Task& task() const { return computing_->task; }
  // A new message that says all.
  hydra::worker::v1::WorkerReport Report(absl::Time now);

 private:
  struct Computing {
    hydra::worker::v1::Task task;
    // What the job's pilot leaves free.
    int64_t reserve_bytes = 0;
    absl::Time begun_at;
    bool hung = false;
  };

  struct Computed {
    Computing task;
    hydra::worker::v1::TaskReport report;
  };

  void Cache(const hydra::worker::v1::Task& task);
  void AddHeld(const Computing& task, absl::Time now, bool computed,
               hydra::worker::v1::WorkerReport& report) const;
  // What the daemon said of the task's job.
  const hydra::worker::v1::JobContext& ContextOf(
      const hydra::worker::v1::Task& task) const;
  // Whether a listed task of the job failed: then its followers do, too.
  bool HasFailed(uint64_t job) const;
  void ReportFailure(const hydra::worker::v1::Task& task, absl::StatusCode code,
                     hydra::worker::v1::TaskReport& report);

  const SimSetup* const setup_;
  SimDevice device_;
  std::vector<hydra::worker::v1::Task> held_;
  std::optional<Computing> computing_;
  // Computed and not written, the oldest first.
  std::deque<Computed> computed_;
  // By number.
  std::map<uint64_t, hydra::worker::v1::JobContext> contexts_;
  std::set<uint64_t> cancelled_;
  std::vector<hydra::worker::v1::TaskReport> reports_;
  // What the device still has of the newest tasks, the oldest first.
  std::deque<uint64_t> cached_;
  // Every task that ever began here.
  std::set<uint64_t> begun_;
  // Failed tasks that the daemon still lists, and their jobs.
  std::map<uint64_t, uint64_t> failed_;
  uint64_t desired_sequence_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_WORKER_H_
