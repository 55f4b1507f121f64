#ifndef HYDRA_SCHEDULER_RUNTIME_TESTING_READ_MODEL_FIXTURE_H_
#define HYDRA_SCHEDULER_RUNTIME_TESTING_READ_MODEL_FIXTURE_H_

#include <gtest/gtest.h>

#include <vector>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/core.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/runtime/read_model.h"

namespace hydra {

// A core without devices, whose jobs wait, and the read model of it. It forgets
// what has ended as soon as it can.
class ReadModelFixture : public ::testing::Test {
 protected:
  static Core::Options Options() {
    Core::Options options;
    options.pool_bytes = 1 << 30;
    options.kept_ended_jobs = 0;
    options.kept_step_lists = 1;
    return options;
  }

  // Turns of the core until nothing is left to do.
  void Settle() {
    do {
      now_ += absl::Seconds(1);
      core_.EndTurn(now_);
      // As hydrad ends a turn.
      (void)journal_.pool_changes();
      for (Journal::Entry& entry : journal_.TakeEntries()) {
        ASSERT_TRUE(records_.Apply(entry.changes).ok());
        core_.Recorded(entry.sequence);
      }
      model_.Update(core_, now_);
    } while (core_.has_more_work() || core_.jobs().has_changes());
  }
  SweepId Submit(int jobs, const Caller& owner = Caller()) {
    const auto submitted = core_.Submit(std::vector<NewJob>(jobs, SmallJob(1)),
                                        {"", "", owner}, now_);
    EXPECT_TRUE(submitted.ok()) << submitted.status();
    Settle();
    return submitted->sweep;
  }
  // Jobs that wait for a device say that there is none: their reasons change,
  // their states do not.
  void ExplainWaits() {
    now_ += absl::Minutes(1);
    core_.Tick(now_);
    Settle();
  }
  void Cancel(const std::vector<JobId>& jobs) {
    core_.Cancel(jobs, false, now_);
    Settle();
  }
  // The core and the model know no job of the sweep any more.
  void ForgetEnded(SweepId sweep) {
    core_.Tick(now_ + absl::Hours(1));
    Settle();
    ASSERT_FALSE(model_.StateOf(sweep).known);
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  MemoryRecordStore records_;
  ShardedLrtf policy_;
  Journal journal_;
  Core core_{Options(), &policy_, &journal_};
  ReadModel model_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_TESTING_READ_MODEL_FIXTURE_H_
