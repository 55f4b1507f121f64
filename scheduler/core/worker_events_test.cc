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

TEST_F(WorkerEventsTest, WhatIsOnlyWrittenIsToBlameWhereNothingElseWasDone) {
  Job& job = AddWithTasks(1, 1);
  job.outstanding[0].begun = job.outstanding[0].computed = true;
  Die();
  EXPECT_THAT(job.crashed_on, ElementsAre(WorkerId(1)));
}

}  // namespace
}  // namespace hydra
