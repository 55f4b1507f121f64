#include "scheduler/core/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "common/protocol/task_format.h"
#include "scheduler/core/testing/hands_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Two devices with hands of two tasks.
class DispatcherTest : public HandsFixture {
 protected:
  // In the queue.
  Job& AddRunnable(uint64_t id, const ChainPosition& place = InStep(0)) {
    Job& job = AddAt(id, place);
    queue_.Enqueue(job, now_);
    return job;
  }
  // Whose tasks the worker has.
  std::vector<JobId> HandOf(uint64_t worker) {
    std::vector<JobId> jobs;
    for (const auto& [job, task] : At(worker).hand) jobs.push_back(job);
    return jobs;
  }
  void Run() { dispatcher_.Run(now_); }

  Checkpoints checkpoints_{&options_, &book_,    &queue_,
                           &blocks_,  &journal_, &actions_};
  SharedBases bases_{{&queue_, &blocks_, &journal_}};
  Dispatcher dispatcher_{
      {&book_, &queue_, &roster_, &hands_, &checkpoints_, &blocks_, &bases_}};
};

TEST_F(DispatcherTest, EveryDeviceGetsAJobAndTasksAheadUntilItsHandIsFull) {
  for (uint64_t id : {1, 2}) AddRunnable(id);
  Run();
  EXPECT_THAT(HandOf(1), ElementsAre(JobId(1), JobId(1)));
  EXPECT_THAT(HandOf(2), ElementsAre(JobId(2), JobId(2)));
  for (uint64_t id : {1, 2}) EXPECT_FALSE(queue_.Contains(JobId(id)));
  CheckSlots();
}

TEST_F(DispatcherTest, OfADrainedDevicesHandWhatHasNotBegunIsAskedBack) {
  for (uint64_t id : {1, 2}) AddRunnable(id);
  Run();
  Job& job = book_.At(JobId(2));
  job.outstanding.front().begun = true;
  roster_.SetDrained(At(2), "new fan");
  AddRunnable(3);
  Run();
  EXPECT_TRUE(job.outstanding.back().withdrawing);
  EXPECT_FALSE(book_.At(JobId(1)).outstanding.back().withdrawing);
  // It has them until it says otherwise, and gets no more.
  EXPECT_THAT(HandOf(2), ElementsAre(JobId(2), JobId(2)));
  EXPECT_TRUE(queue_.Contains(JobId(3)));
}

TEST_F(DispatcherTest, InMaintenanceNobodyGetsAnything) {
  roster_.SetMaintenance("driver update");
  AddRunnable(1);
  Run();
  EXPECT_THAT(HandOf(1), IsEmpty());
  EXPECT_THAT(HandOf(2), IsEmpty());
  roster_.SetMaintenance(std::nullopt);
  Run();
  EXPECT_THAT(HandOf(1), ElementsAre(JobId(1), JobId(1)));
}

TEST_F(DispatcherTest, AJobWithoutRoomStaysInTheQueueAndIsInNobodysWay) {
  Job& job = AddRunnable(1);
  std::vector<Version> others;
  while (blocks_.largest_free_bytes() > 0) {
    others.push_back(*blocks_.Make(blocks_.largest_free_bytes()));
  }
  // Needs no room.
  queue_.Enqueue(AddSmallJob(2, book_), now_);
  Run();
  EXPECT_THAT(job.outstanding, IsEmpty());
  EXPECT_TRUE(queue_.Contains(job.id));
  EXPECT_THAT(HandOf(1), ElementsAre(JobId(2)));
  for (const Version& version : others) blocks_.Discard(version);
  Run();
  EXPECT_THAT(HandOf(2), ElementsAre(job.id, job.id));
}

TEST_F(DispatcherTest, APromisedJobIsAskedBackForADeviceWithNothingToDo) {
  At(2).state = v1::WORKER_STATE_RESTARTING;
  // At the end of a step: then the jobs take turns.
  for (uint64_t id : {1, 2}) AddRunnable(id, InStep(0, 2));
  Run();
  ASSERT_THAT(HandOf(1), ElementsAre(JobId(1), JobId(2)));
  At(2).state = v1::WORKER_STATE_READY;
  At(2).task_format = kTaskFormat;
  Run();
  EXPECT_FALSE(book_.At(JobId(1)).outstanding.front().withdrawing);
  EXPECT_TRUE(book_.At(JobId(2)).outstanding.front().withdrawing);
  EXPECT_THAT(HandOf(2), IsEmpty());
}

TEST_F(DispatcherTest, WhatIsComputedTakesNoPlaceInAHand) {
  At(2).state = v1::WORKER_STATE_RESTARTING;
  Job& job = AddRunnable(1);
  Run();
  ASSERT_EQ(HandOf(1).size(), 2);
  for (size_t computed = 1; computed < Hands::kMostComputed; ++computed) {
    OutstandingTask& task = job.outstanding[computed - 1];
    task.begun = task.computed = true;
    Run();
    EXPECT_EQ(HandOf(1).size(), 2 + computed);
  }
  for (OutstandingTask& task : job.outstanding) {
    task.begun = task.computed = true;
  }
  Run();
  EXPECT_EQ(HandOf(1).size(), 1 + Hands::kMostComputed)
      << "of computed ones it has enough";
}

// Cut in two, with parameters that are not trained in the first shard.
TEST_F(DispatcherTest, ABaseOnADeviceServesAllItsJobsBeforeItGoes) {
  At(2).state = v1::WORKER_STATE_RESTARTING;
  for (uint64_t id : {1, 2, 3}) {
    Job& job = AddRunnable(id);
    if (id == 2) continue;
    ModelTable table = *job.shape.table;
    table.parameter_blocks[2].frozen = true;
    job.shape.table = std::move(table);
    job.submitted.base_key = "a base";
    bases_.Restore(job);
  }
  Run();
  EXPECT_THAT(HandOf(1), ElementsAre(JobId(1), JobId(3)))
      << "the first shard of both, and not the next shard, nor another job";
  EXPECT_EQ(book_.At(JobId(3)).outstanding.front().task.shard, 0);
}

TEST_F(DispatcherTest, NoTaskAheadGoesPastThePlaceWhereTheJobPauses) {
  Job& job = AddRunnable(1, InStep(0, 2));
  job.intent = Intent::kPause;
  Run();
  EXPECT_THAT(HandOf(1), ElementsAre(job.id));
}

TEST_F(DispatcherTest, ADeviceWithMemoryOfItsOwnHoldsMoreWhereThePoolHasRoom) {
  At(2).state = v1::WORKER_STATE_RESTARTING;
  At(1).device.has_own_memory = true;
  Job& job = AddRunnable(1);
  Run();
  EXPECT_THAT(job.outstanding, SizeIs(2 + Hands::kMostUnpromised));
  CheckSlots();
}

TEST_F(DispatcherTest, ButNotWhatOthersWerePromised) {
  At(2).state = v1::WORKER_STATE_RESTARTING;
  At(1).device.has_own_memory = true;
  Job& job = AddRunnable(1);
  v1::PoolDemand all;
  all.set_total_bytes(kPoolBytes);
  admission_.Readmit(JobId(2), all, /*base=*/"");
  const int64_t used = blocks_.used_bytes();
  Run();
  EXPECT_THAT(job.outstanding, SizeIs(2));
  int64_t made = 0;
  for (const OutstandingTask& task : job.outstanding) {
    for (const auto& [key, version] : task.made) made += version.size_bytes;
  }
  EXPECT_EQ(blocks_.used_bytes(), used + made);
  CheckSlots();
}

}  // namespace
}  // namespace hydra
