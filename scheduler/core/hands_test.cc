#include "scheduler/core/hands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/core/job_move.h"
#include "scheduler/core/records.h"
#include "scheduler/core/testing/hands_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What comes into a hand, and out again.
class HandsTest : public HandsFixture {
 protected:
  // The job's checkpoint is being written, of all that it has.
  void BeginCheckpoint(Job& job) {
    job.writing.emplace();
    for (const auto& [key, version] : *blocks_.BlocksOf(job.id)) {
      blocks_.Pin(job.id, version);
      job.writing->blocks.emplace_back(key, version);
    }
  }
  // The pool is full, but for `bytes` that lie together.
  void FillPool(int64_t bytes) {
    const Version last = *blocks_.Make(bytes);
    while (blocks_.largest_free_bytes() > 0) {
      others_.push_back(*blocks_.Make(blocks_.largest_free_bytes()));
    }
    blocks_.Discard(last);
  }

  std::vector<Version> others_;
};

// --- Handing out ---

TEST_F(HandsTest, ATaskKnowsSinceWhenItsDeviceHadNothingToDo) {
  hands_.NoteIdle(now_ - absl::Seconds(9));
  hands_.NoteIdle(now_ - absl::Seconds(3));
  // It runs beside the device.
  ASSERT_TRUE(HandOut(AddSmallJob(1, book_)));
  hands_.NoteIdle(now_ - absl::Seconds(2));
  Job& job = AddAt(2, InStep(3));
  ASSERT_TRUE(HandOut(job));
  EXPECT_EQ(job.outstanding[0].idle_since, now_ - absl::Seconds(9));
  EXPECT_EQ(job.outstanding[0].handed_out_at, now_);
  hands_.NoteIdle(now_);
  ASSERT_TRUE(HandOut(job));
  EXPECT_EQ(job.outstanding[1].idle_since, absl::InfiniteFuture());
  EXPECT_EQ(At(2).idle_since, now_ - absl::Seconds(9));
}

TEST_F(HandsTest, BeforeItsChainAJobHasOneTaskWithoutBlocks) {
  Job& job = AddSmallJob(1, book_);
  ASSERT_TRUE(HandOut(job));
  EXPECT_EQ(job.outstanding[0].task.kind, wv1::TASK_KIND_PREPARE);
  EXPECT_FALSE(job.outstanding[0].position.has_value());
  Job& pilot = AddSmallJob(2, book_);
  RestorePhase(pilot, v1::JOB_PHASE_PILOT);
  ASSERT_TRUE(HandOut(pilot));
  EXPECT_EQ(pilot.outstanding[0].wire.kind(), wv1::TASK_KIND_PILOT);
  EXPECT_EQ(pilot.outstanding[0].wire.last_layer(), 4);
  EXPECT_EQ(blocks_.used_bytes(), 0);
}

TEST_F(HandsTest, AJobRunsFromItsFirstTaskOn) {
  Job& job = AddSmallJob(1, book_);
  job.queued_since = now_ - absl::Seconds(9);
  job.reason = "waits";
  HandOut(job);
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(job.reason, "");
  EXPECT_EQ(job.started_at, now_);
  EXPECT_EQ(job.queued_since, absl::InfinitePast());
  EXPECT_EQ(job.training_since, absl::InfinitePast());
}

TEST_F(HandsTest, TrainingBeginsWithTheFirstTaskOfAStep) {
  Job& job = AddAt(1, InStep(3));
  HandOut(job);
  EXPECT_EQ(job.training_since, now_);
  EXPECT_EQ(job.training_from_step, 3);
}

TEST_F(HandsTest, WhatATaskWritesGetsSlotsOfItsOwn) {
  Job& job = AddAt(1, InStep(3));
  const int64_t before = blocks_.used_bytes();
  ASSERT_TRUE(HandOut(job));
  const OutstandingTask& task = job.outstanding.at(0);
  EXPECT_EQ(task.worker, WorkerId(1));
  EXPECT_THAT(At(1).hand, ElementsAre(std::make_pair(job.id, task.id)));
  // FORWARD of two micro-batches, up to the cut before layer 2.
  EXPECT_EQ(task.task.kind, wv1::TASK_KIND_FORWARD);
  ASSERT_THAT(task.made, SizeIs(2));
  EXPECT_EQ(task.made[0].first, ActivationKey(2, 0));
  EXPECT_EQ(task.made[1].first, ActivationKey(2, 1));
  EXPECT_EQ(blocks_.used_bytes(), before + 2 * job.shape.TrainBoundaryBytes(2));
  EXPECT_EQ(blocks_.Find(job.id, ActivationKey(2, 0)), nullptr);
  EXPECT_EQ(task.wire.writes_size(), 2);
  EXPECT_EQ(task.wire.writes(1).offset_bytes(),
            task.made[1].second.slot->offset);
  CheckSlots();
}

TEST_F(HandsTest, ATaskAheadReadsWhatTheOneBeforeItMakes) {
  Job& job = AddAt(1, InStep(3));
  ASSERT_TRUE(HandOut(job));
  ASSERT_TRUE(HandOut(job));
  const OutstandingTask& turn = job.outstanding.at(1);
  EXPECT_EQ(turn.task.kind, wv1::TASK_KIND_TURN);
  EXPECT_GT(turn.id, job.outstanding[0].id);
  const auto reads = [&](const std::pair<BlockKey, Version>& made) {
    return std::count_if(turn.wire.reads().begin(), turn.wire.reads().end(),
                         [&](const wv1::BlockVersion& read) {
                           return BlockKeyOf(read) == made.first &&
                                  VersionOf(read).id == made.second.id;
                         });
  };
  for (const auto& made : job.outstanding[0].made) EXPECT_EQ(reads(made), 1);
}

TEST_F(HandsTest, ATaskThatFindsNoRoomTakesNone) {
  Job& job = AddAt(1, InStep(3));
  const int64_t bytes = job.shape.TrainBoundaryBytes(2);
  FillPool(bytes);
  const int64_t used = blocks_.used_bytes();
  // There is room for the first of its two blocks alone.
  EXPECT_FALSE(HandOut(job));
  EXPECT_EQ(job.refused_write_bytes, 2 * bytes);
  EXPECT_THAT(job.outstanding, IsEmpty());
  EXPECT_THAT(At(1).hand, IsEmpty());
  EXPECT_EQ(blocks_.used_bytes(), used);
  blocks_.Discard(others_.back());
  EXPECT_TRUE(HandOut(job));
  EXPECT_EQ(job.refused_write_bytes, 0);
  // No number was lost.
  EXPECT_EQ(job.outstanding[0].id, TaskId(101));
}

// --- Beside a checkpoint ---

// What is kept for a checkpoint may take the job's largest write, and what
// nobody was promised.
TEST_F(HandsTest, BesideItsCheckpointAJobTakesWhatNobodyWasPromised) {
  for (const bool has_spare : {false, true}) {
    Job& job = AddAt(1, InStep(3, 1));
    // Of the whole pool, or what the job needs at least.
    v1::PoolDemand all = *job.demand;
    if (!has_spare) all.set_total_bytes(kPoolBytes - all.largest_write_bytes());
    Admission admission(kPoolBytes, /*workers=*/1, /*lookahead=*/1);
    admission.Readmit(job.id, all, /*base=*/"");
    ASSERT_EQ(admission.spare_bytes() > 0, has_spare);
    Hands hands({&options_, &book_, &blocks_, &admission, &roster_, &journal_,
                 &actions_, &shares_},
                /*last_number=*/100);
    BeginCheckpoint(job);
    // The TURN replaces the largest part of the state.
    EXPECT_EQ(hands.HandOut(job, At(1), now_), Hands::Given::kYes);
    EXPECT_GT(job.outstanding[0].made.size(), 2);
    hands.Commit(job);
    job.position = InStep(3, 2);
    EXPECT_GT(blocks_.kept_bytes(), 0);
    // The BACKWARD another part.
    EXPECT_EQ(hands.HandOut(job, At(1), now_) == Hands::Given::kYes, has_spare);
    for (const auto& [key, version] : job.writing->blocks) {
      blocks_.Unpin(version);
    }
    job.writing.reset();
    EXPECT_TRUE(has_spare ||
                hands.HandOut(job, At(1), now_) == Hands::Given::kYes);
    hands.Abandon(job, 0);
    blocks_.EndAll(job.id);
    book_.Erase(job.id);
  }
}

// --- Taking out ---

TEST_F(HandsTest, ACommitMakesWhatWasWrittenCurrentAndFreesTheRest) {
  Job& job = AddAt(1, InStep(3, 1));
  const int64_t before = blocks_.used_bytes();
  const Version old = *blocks_.Find(job.id, ParametersKey(0));
  ASSERT_TRUE(HandOut(job));
  const OutstandingTask turn = hands_.Commit(job);
  EXPECT_THAT(job.outstanding, IsEmpty());
  EXPECT_THAT(At(1).hand, IsEmpty());
  for (const auto& [key, version] : turn.made) {
    EXPECT_EQ(blocks_.Find(job.id, key)->id, version.id);
  }
  // Another shard has it.
  EXPECT_EQ(blocks_.Find(job.id, ParametersKey(0))->id, old.id);
  // The activations of the cut are gone, and their gradients there instead.
  EXPECT_EQ(blocks_.Find(job.id, ActivationKey(2, 0)), nullptr);
  EXPECT_NE(blocks_.Find(job.id, ActivationGradientKey(2, 1)), nullptr);
  // The tied block's gradient is the only thing more than before.
  EXPECT_EQ(blocks_.used_bytes(), before + job.shape.ParameterBytes(0));
  CheckSlots();
}

TEST_F(HandsTest, AFailedTaskLeavesItsSlotsToTheOneThatFollowsOnIt) {
  Job& job = AddAt(1, InStep(3));
  HandOut(job);
  HandOut(job);
  const auto made = job.outstanding[0].made;
  const int64_t used = blocks_.used_bytes();
  const OutstandingTask failed = hands_.TakeFailed(job);
  EXPECT_THAT(failed.made, IsEmpty());
  // The worker may be reading them.
  EXPECT_EQ(blocks_.used_bytes(), used);
  ASSERT_THAT(job.outstanding, SizeIs(1));
  const OutstandingTask& next = job.outstanding[0];
  EXPECT_EQ(next.made.back().second.id, made.back().second.id);
  EXPECT_EQ(next.wire.writes_size(), next.made.size());
  CheckSlots();
  hands_.TakeFailed(job);
  EXPECT_LT(blocks_.used_bytes(), used);
  EXPECT_TRUE(hands_.all_empty());
  CheckSlots();
}

TEST_F(HandsTest, AbandonedTasksAreInNoHandAndTheirSlotsAreFree) {
  Job& job = AddAt(1, InStep(3));
  const int64_t before = blocks_.used_bytes();
  HandOut(job);
  const int64_t with_first = blocks_.used_bytes();
  HandOut(job);
  hands_.Abandon(job, 1);
  EXPECT_EQ(blocks_.used_bytes(), with_first);
  EXPECT_THAT(At(1).hand, SizeIs(1));
  hands_.Abandon(job, 0);
  EXPECT_EQ(blocks_.used_bytes(), before);
  EXPECT_TRUE(hands_.all_empty());
  CheckSlots();
}

TEST_F(HandsTest, ATaskOfAnEarlierDaemonIsInItsHandAgain) {
  Job& job = AddAt(1, InStep(3));
  OutstandingTask task;
  task.id = TaskId(7);
  task.worker = WorkerId(2);
  task.position = InStep(3);
  hands_.Restore(job, task);
  EXPECT_FALSE(hands_.all_empty());
  EXPECT_THAT(At(2).hand, ElementsAre(std::make_pair(job.id, TaskId(7))));
  hands_.Commit(job);
  EXPECT_TRUE(hands_.all_empty());
}

TEST_F(HandsTest, AJobWithManyTasksInHandsIsThereOnce) {
  Job& later = AddAt(1, InStep(8));
  Job& earlier = AddAt(2, InStep(2));
  AddAt(3, InStep(5));
  HandOut(later, 1);
  HandOut(later, 1);
  HandOut(earlier, 2);
  const std::vector<JobView> jobs = hands_.Jobs();
  ASSERT_THAT(jobs, SizeIs(2));
  EXPECT_EQ(jobs[0].id, later.id);
  EXPECT_EQ(jobs[0].remaining, later.RemainingFrom(later.position));
  EXPECT_EQ(jobs[1].id, earlier.id);
  EXPECT_EQ(jobs[1].remaining, earlier.RemainingFrom(earlier.position));
}

}  // namespace
}  // namespace hydra
