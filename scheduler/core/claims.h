#ifndef HYDRA_SCHEDULER_CORE_CLAIMS_H_
#define HYDRA_SCHEDULER_CORE_CLAIMS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/once_per_key.h"

namespace hydra {

// What one job does for others, too: preparing their data, and finding their
// cut points. Not thread-safe; what it is given must outlive it.
class Claims {
 public:
  // Knows the options' partitions.
  Claims(const CoreOptions* options, JobQueue* queue);

  // --- Data: within one sweep files are taken as unchanged; a later one looks
  // again ---

  // Null: not yet. Valid until the next change.
  const hydra::worker::v1::PrepareResult* Prepared(const Job& job) const;
  // The job that prepares this one's data: itself, if no other one does. Else
  // it waits, and is woken when that is done or given up.
  JobId ClaimPrepare(Job& job);
  void SetPrepared(const Job& job, hydra::worker::v1::PrepareResult prepared);
  // All jobs of the sweep have ended.
  void ForgetSweep(SweepId sweep) { prepared_.erase(sweep); }

  // --- Cut points ---

  // Null: nobody found any for such a model on such a device. Valid until the
  // next change.
  const hydra::v1::Partition* Known(const Job& job,
                                    const DeviceOptions& device) const;
  // As ClaimPrepare. Notes it in the job.
  JobId ClaimPilot(Job& job, const DeviceOptions& device);
  // What the job's pilot found on this device. The key that it is kept by.
  std::string SetFound(const Job& job, const DeviceOptions& device,
                       const hydra::v1::Partition& partition);

  // Another job may do what this one claimed to do for all.
  void Abandon(const Job& job);

 private:
  std::string PilotKey(const Job& job, const DeviceOptions& device) const;

  const CoreOptions* const options_;
  JobQueue* const queue_;
  absl::flat_hash_map<SweepId, OncePerKey<hydra::worker::v1::PrepareResult>>
      prepared_;
  OncePerKey<hydra::v1::Partition> partitions_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CLAIMS_H_
