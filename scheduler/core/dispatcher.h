#ifndef HYDRA_SCHEDULER_CORE_DISPATCHER_H_
#define HYDRA_SCHEDULER_CORE_DISPATCHER_H_

#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/dispatch.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/shared_bases.h"
#include "scheduler/core/worker_record.h"

namespace hydra {

// Carries out what dispatch.h decides, until every device has what can be had.
// Not thread-safe; what it is given must outlive it.
class Dispatcher {
 public:
  struct Parts {
    JobBook* book = nullptr;
    JobQueue* queue = nullptr;
    Roster* roster = nullptr;
    Hands* hands = nullptr;
    const Checkpoints* checkpoints = nullptr;
    const BlockTable* blocks = nullptr;
    const SharedBases* bases = nullptr;
  };
  explicit Dispatcher(const Parts& parts) : parts_(parts) {}

  void Run(absl::Time now);

 private:
  // What was found while this runs.
  struct Found {
    absl::flat_hash_set<JobId> without_room;
    // They get no more than admission reckons with.
    absl::flat_hash_set<WorkerId> without_spare_room;
  };
  std::optional<Dispatch> Next(const Found& found, absl::Time now) const;
  DispatchView::Device ViewOf(const WorkerRecord& worker, const Found& found,
                              absl::Time now) const;
  // See DispatchView::Device::mates. `last`: the device's last task, of `job`.
  std::vector<DispatchView::Successor> MatesOf(const WorkerRecord& worker,
                                               const Job& job,
                                               const ChainTask& last) const;
  // See DispatchView::recent.
  std::vector<JobView> RecentJobs(const WorkerRecord& worker) const;

  const Parts parts_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_DISPATCHER_H_
