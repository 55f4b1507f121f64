#ifndef HYDRA_SCHEDULER_CORE_JOB_START_H_
#define HYDRA_SCHEDULER_CORE_JOB_START_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/claims.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/quotas.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/shared_bases.h"
#include "scheduler/core/shared_models.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// The way of a job up to its chain of tasks: its data, its cut points, its room
// in the pool. Not thread-safe; what it is given must outlive it.
class JobStart {
 public:
  struct Parts {
    JobBook* book = nullptr;
    JobQueue* queue = nullptr;
    BlockTable* blocks = nullptr;
    Admission* admission = nullptr;
    SharedModels* models = nullptr;
    Claims* claims = nullptr;
    SharedBases* bases = nullptr;
    const Roster* roster = nullptr;
    Journal* journal = nullptr;
    Quotas* quotas = nullptr;
  };
  explicit JobStart(const Parts& parts) : parts_(parts) {}

  // Where a job stands after a look at it.
  struct Outcome {
    enum class Kind {
      // It is in the next phase.
      kGoesOn,
      // It waits, or is in the queue.
      kWaits,
      // It cannot be trained, for this reason.
      kFails,
      // Somebody has to look first, for this reason.
      kHolds,
    };
    Kind kind;
    std::string reason;
  };
  Outcome FromPrepare(Job& job, absl::Time now);
  // Once it has its cut points; the caller sets the next phase.
  Outcome FromPilot(Job& job, absl::Time now);
  Outcome FromAdmission(Job& job, absl::Time now);

  // The job's data is prepared, by itself or by another job of the sweep.
  void TakePrepared(Job& job, const hydra::worker::v1::PrepareResult& prepared,
                    absl::Time now);
  // What a pilot found on a device of `limit_bytes`; in finer shards where the
  // pool has no room for what these write.
  void SetFoundPartition(Job& job, hydra::v1::Partition partition,
                         int64_t limit_bytes, absl::Time now);
  // `limit_bytes`: of the device that it was found on; 0: given by hand.
  void SetPartition(Job& job, hydra::v1::Partition partition,
                    int64_t limit_bytes);
  void BeginTimes(Job& job);

 private:
  void LogSharedPreparation(const Job& job, absl::Time now);
  // Its room is promised, and its state is there, all zero.
  void BeginChain(Job& job, absl::Time now);

  const Parts parts_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_START_H_
