#include "scheduler/core/worker_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/core/testing/results_fixture.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What else workers say, the core's tests have (core_workers_test).
class WorkerEventsTest : public ResultsFixture {
 protected:
  // With so many tasks in the first worker's hand, behind those of others.
  Job& AddWithTasks(uint64_t id, int tasks) {
    Job& job = AddAt(id, InStep(3));
    for (int i = 0; i < tasks; ++i) EXPECT_TRUE(HandOut(job));
    return job;
  }
  void Die() { events_.Died(At(1), "signal 9", now_); }

  WorkerEvents events_{{&options_, &book_, &roster_, &hands_, &results_, &life_,
                        &journal_, &actions_}};
};

TEST_F(WorkerEventsTest, TheFirstTaskIsToBlameWhateverItsWorkerSaidOfIt) {
  Job& first = AddWithTasks(1, 1);
  Job& second = AddWithTasks(2, 1);
  Die();
  EXPECT_THAT(first.crashed_on, ElementsAre(WorkerId(1)));
  EXPECT_THAT(second.crashed_on, IsEmpty());
}

TEST_F(WorkerEventsTest, WhatWasComputedIsNotToBlameForWhatComesBehindIt) {
  Job& computed = AddWithTasks(1, 1);
  Job& begun = AddWithTasks(2, 1);
  computed.outstanding[0].begun = computed.outstanding[0].computed = true;
  begun.outstanding[0].begun = true;
  Die();
  EXPECT_THAT(computed.crashed_on, IsEmpty());
  EXPECT_THAT(begun.crashed_on, ElementsAre(WorkerId(1)));
}

TEST_F(WorkerEventsTest, AJobsNextTaskIsToBlameAndNotTheJobBehindIt) {
  Job& job = AddWithTasks(1, 2);
  Job& behind = AddWithTasks(2, 1);
  job.outstanding[0].begun = job.outstanding[0].computed = true;
  job.outstanding[1].begun = true;
  Die();
  EXPECT_THAT(job.crashed_on, ElementsAre(WorkerId(1)));
  EXPECT_THAT(behind.crashed_on, IsEmpty());
}

// The task that it ran is charged, and neither is promised any more.
TEST_F(WorkerEventsTest, WhatADeadWorkerRanCountsToItsAccount) {
  Job& job = AddAt(1, InStep(3));
  job.owner = Caller{1000};
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(HandOut(job));
  const auto used = [&] {
    return shares_.ledger().LeadOf(AccountOf(job), Account{7});
  };
  EXPECT_GT(used(), absl::ZeroDuration());
  job.outstanding[0].begun = true;
  job.outstanding[0].begun_at = now_ - absl::Seconds(2);
  Die();
  EXPECT_NEAR(absl::ToDoubleSeconds(used()), 2, 1e-6);
}

// A worker sends its lines until it is told that they are kept.
TEST_F(WorkerEventsTest, LogLinesAreAcknowledgedOnceTheyAreKept) {
  AddAt(1, InStep(3));
  hydra::worker::v1::WorkerReport report;
  report.set_session(At(1).session);
  report.set_sequence(At(1).report_sequence + 1);
  report.set_task_format(kTaskFormat);
  for (int sequence : {1, 2}) {
    hydra::worker::v1::JobLogLine& line = *report.add_log_lines();
    line.set_sequence(sequence);
    line.set_job_id(1);
    line.set_text("a line");
  }
  actions_.clear();
  events_.Reported(At(1), report, now_);
  EXPECT_EQ(At(1).log_sequence, 2);
  EXPECT_EQ(At(1).kept_log_sequence, 0);
  ASSERT_FALSE(actions_.empty());
  const auto* taken = std::get_if<LogLinesTaken>(&actions_.back());
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->sequence, 2);
  // Those that are sent again are not taken again.
  actions_.clear();
  report.set_sequence(report.sequence() + 1);
  events_.Reported(At(1), report, now_);
  EXPECT_THAT(actions_, IsEmpty());
  WorkerEvents::LogLinesKept(At(1), "another session", 2);
  EXPECT_EQ(At(1).kept_log_sequence, 0);
  WorkerEvents::LogLinesKept(At(1), At(1).session, 2);
  EXPECT_EQ(At(1).kept_log_sequence, 2);
}

TEST_F(WorkerEventsTest, WhatIsOnlyWrittenIsToBlameWhereNothingElseWasDone) {
  Job& job = AddWithTasks(1, 1);
  job.outstanding[0].begun = job.outstanding[0].computed = true;
  Die();
  EXPECT_THAT(job.crashed_on, ElementsAre(WorkerId(1)));
}

}  // namespace
}  // namespace hydra
