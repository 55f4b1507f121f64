#ifndef HYDRA_SCHEDULER_CORE_TESTING_ROSTER_FIXTURE_H_
#define HYDRA_SCHEDULER_CORE_TESTING_ROSTER_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "common/protocol/task_format.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {

// A roster of three devices, the first one the smallest, without processes.
class RosterFixture : public ::testing::Test {
 protected:
  RosterFixture() {
    for (uint64_t worker : {1, 2, 3}) At(worker).task_format = kTaskFormat;
  }

  static CoreOptions ThreeDevices() {
    CoreOptions options;
    options.devices = {
        {"cpu:0", 1 << 20, 1}, {"cpu:1", 2 << 20, 1}, {"cpu:2", 2 << 20, 1}};
    return options;
  }
  WorkerRecord& At(uint64_t worker) { return roster_.At(WorkerId(worker)); }
  // A job that waits for whatever finds cut points.
  void AddPilotWaiter(uint64_t id) {
    queue_.WaitFor(AddSmallJob(id, book_), JobQueue::kPilotWait, "waits");
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  const CoreOptions options_ = ThreeDevices();
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  ShardedLrtf policy_;
  JobQueue queue_{&policy_, &book_};
  Roster roster_{&options_, &book_, &queue_, &journal_, &actions_};
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_ROSTER_FIXTURE_H_
