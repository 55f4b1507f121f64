#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "scheduler/core/checkpoints.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/records.h"
#include "scheduler/core/testing/checkpoints_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Whose turn the one writer is, and who stands still for it.
class CheckpointWriterTest : public CheckpointsFixture {
 protected:
  // The job shall rest once it is saved.
  static void SetPausing(Job& job) { job.intent = Intent::kPause; }
  // Job 9 is being written since now.
  void TakeWriter() {
    EndStep(AddAt(9, InStep(2)));
    TakeRequested();
  }
  // A job that ends a step now that took `step`, and is due since `due` ago.
  Job& AddDue(uint64_t id, absl::Duration due, absl::Duration step) {
    Job& job = AddAt(id, InStep(3));
    job.checkpoint_due_at = now_ - due;
    job.step_ended_at = now_ - step;
    return job;
  }
  // A record of the job's at this place.
  static void SetSaved(const ChainPosition& place, Job& job) {
    *job.checkpoints.Fresh().emplace_back().mutable_position() =
        ToRecord(place);
  }
};

struct HoldCase {
  std::string name;
  absl::Duration due;
  absl::Duration step;
  absl::Duration writing;
  std::function<void(Job&)> change;
  bool holds;
};

TEST_F(CheckpointWriterTest, WhoMustNotMissItAgainStandsStill) {
  const std::function<void(Job&)> nothing = [](Job&) {};
  const std::vector<HoldCase> cases = {
      {"just due", absl::Seconds(1), absl::Seconds(9), absl::Seconds(1),
       nothing, false},
      {"due for long", absl::Minutes(1), absl::Seconds(9), absl::Seconds(1),
       nothing, true},
      {"its next end is far", absl::Seconds(1), absl::Minutes(1),
       absl::Seconds(1), nothing, true},
      {"not due", -absl::Seconds(1), absl::Minutes(9), absl::Seconds(1),
       nothing, false},
      {"its next step has begun", absl::Minutes(1), absl::Seconds(9),
       absl::Seconds(1), [](Job& job) { AddOutstanding(InStep(3), job); },
       false},
      {"the disk stands still", absl::Minutes(1), absl::Seconds(9),
       absl::Minutes(10), nothing, false},
      {"the disk almost stands still", absl::Minutes(1), absl::Seconds(9),
       absl::Minutes(10) - absl::Seconds(1), nothing, true},
  };
  for (const HoldCase& each : cases) {
    TakeWriter();
    now_ += each.writing;
    Job& job = AddDue(1, each.due, each.step);
    each.change(job);
    EndStep(job);
    EXPECT_EQ(checkpoints_.Holds(job.id), each.holds) << each.name;
    EXPECT_EQ(!job.reason.empty(), each.holds) << each.name;
    checkpoints_.Leave(job.id);
    Written(JobId(9));
    for (uint64_t id : {1, 9}) {
      blocks_.EndAll(JobId(id));
      book_.Erase(JobId(id));
    }
  }
}

// While its newest one is still being written, another one is not urgent.
TEST_F(CheckpointWriterTest, AJobDoesNotStandStillForItself) {
  Job& job = AddAt(1, InStep(2));
  EndStep(job);
  now_ += absl::Minutes(5);
  job.position.step = 4;
  EndStep(job);
  EXPECT_FALSE(checkpoints_.Holds(job.id));
}

TEST_F(CheckpointWriterTest, TheOneThatIsDueLongestIsNextAndTheOthersGoOn) {
  // It takes a minute to write one.
  TakeWriter();
  now_ += absl::Minutes(1);
  Written(JobId(9));
  EndStep(AddAt(8, InStep(2)));
  // Whoever would be next stands still, whatever it costs.
  EndStep(AddDue(1, absl::Minutes(2), absl::Seconds(9)));
  EndStep(AddDue(2, absl::Minutes(3), absl::Seconds(9)));
  EXPECT_TRUE(checkpoints_.Holds(JobId(1)));
  EXPECT_TRUE(checkpoints_.Holds(JobId(2)));
  // The others only if their next step takes longer: three are before it.
  EndStep(AddDue(3, absl::Minutes(1), absl::Minutes(3)));
  EXPECT_FALSE(checkpoints_.Holds(JobId(3)));
  EndStep(AddDue(4, absl::Minutes(1), absl::Minutes(3) + absl::Seconds(1)));
  EXPECT_TRUE(checkpoints_.Holds(JobId(4)));
  TakeRequested();
  TakeAllAwake();
  std::vector<JobId> order;
  for (JobId done = JobId(8); !checkpoints_.free();) {
    Written(done);
    for (JobId next : TakeRequested()) order.push_back(done = next);
  }
  EXPECT_THAT(order, ElementsAre(JobId(2), JobId(1), JobId(4)));
}

TEST_F(CheckpointWriterTest, WhoGetsItGoesOnWhileItIsSaved) {
  TakeWriter();
  Job& job = AddDue(1, absl::Minutes(2), absl::Seconds(9));
  EndStep(job);
  EXPECT_EQ(job.reason, "waits until checkpoints of other jobs are written");
  AddOutstanding(InStep(2), book_.At(JobId(9)));
  Written(JobId(9));
  EXPECT_EQ(checkpoints_.writing(), JobId(1));
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(1)));
  EXPECT_EQ(job.reason, "");
}

TEST_F(CheckpointWriterTest, AJobIsLookedAtAgainUnlessItsTasksAreOut) {
  Job& waits = AddAt(1, InStep(2));
  EndStep(waits);
  Written(waits.id);
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(1)));
  Job& goes_on = AddAt(2, InStep(2));
  EndStep(goes_on);
  AddOutstanding(InStep(2), goes_on);
  Written(goes_on.id);
  EXPECT_THAT(TakeAllAwake(), IsEmpty());
}

// What was kept for it is free now.
TEST_F(CheckpointWriterTest, RoomIsOfferedOnceItIsWritten) {
  queue_.WaitForRoom(AddSmallJob(1, book_), "no room", now_);
  TakeWriter();
  AddOutstanding(InStep(2), book_.At(JobId(9)));
  EXPECT_THAT(TakeAllAwake(), IsEmpty());
  Written(JobId(9));
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(1)));
}

TEST_F(CheckpointWriterTest, WhoLeavesIsNotSaved) {
  TakeWriter();
  Job& job = AddDue(1, absl::Minutes(2), absl::Seconds(9));
  EndStep(job);
  checkpoints_.Leave(job.id);
  Written(JobId(9));
  EXPECT_TRUE(checkpoints_.free());
  EXPECT_THAT(TakeRequested(), IsEmpty());
}

TEST_F(CheckpointWriterTest, AJobThatPausesIsWokenOnceItIsSaved) {
  TakeWriter();
  Job& job = AddAt(1, InStep(3));
  SetPausing(job);
  checkpoints_.Save(job, now_);
  EXPECT_TRUE(checkpoints_.Holds(job.id));
  Written(JobId(9));
  EXPECT_EQ(checkpoints_.writing(), JobId(1));
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(9)));
  Written(job.id);
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(1)));
}

TEST_F(CheckpointWriterTest, OneThatPausesWhereItIsSavedIsNotSavedTwice) {
  TakeWriter();
  Job& job = AddAt(1, InStep(3));
  SetPausing(job);
  checkpoints_.Save(job, now_);
  SetSaved(InStep(3), job);
  now_ += absl::Minutes(5);
  EndStep(AddDue(2, absl::Minutes(2), absl::Seconds(9)));
  Written(JobId(9));
  EXPECT_EQ(checkpoints_.writing(), JobId(2));
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(1), JobId(2), JobId(9)));
}

TEST_F(CheckpointWriterTest, WhoOnlyWouldBeSavedLeavesAStuckWriter) {
  TakeWriter();
  Job& goes_on = AddDue(1, absl::Minutes(2), absl::Seconds(9));
  Job& pauses = AddAt(2, InStep(3));
  EndStep(goes_on);
  SetPausing(pauses);
  checkpoints_.Save(pauses, now_);
  checkpoints_.LeaveStuckWriter(now_ + absl::Minutes(9));
  EXPECT_TRUE(checkpoints_.Holds(goes_on.id));
  checkpoints_.LeaveStuckWriter(now_ + absl::Minutes(10));
  EXPECT_FALSE(checkpoints_.Holds(goes_on.id));
  EXPECT_EQ(goes_on.reason, "");
  EXPECT_TRUE(checkpoints_.Holds(pauses.id));
  EXPECT_THAT(TakeAllAwake(), ElementsAre(goes_on.id));
}

// --- Before a step ---

TEST_F(CheckpointWriterTest, NextStepsTaskIsHeldOnlyIfTheJobMayStandStill) {
  Job& job = AddAt(1, InStep(1));
  AddOutstanding(InStep(1, 1), job);
  job.step_ended_at = now_ - absl::Minutes(1);
  EXPECT_FALSE(checkpoints_.HoldsBeforeStep(job, InStep(1, 2), now_))
      << "inside of a step";
  AddOutstanding(InStep(1, 2), job);
  EXPECT_TRUE(checkpoints_.HoldsBeforeStep(job, InStep(2), now_));
  job.step_ended_at = now_;
  EXPECT_FALSE(checkpoints_.HoldsBeforeStep(job, InStep(2), now_))
      << "steps are short";
  job.step_ended_at = now_ - absl::Minutes(1);
  job.submitted.spec.mutable_checkpoint()->set_every_steps(3);
  EXPECT_FALSE(checkpoints_.HoldsBeforeStep(job, InStep(2), now_))
      << "none is due there";
}

// --- The daemon stops ---

TEST_F(CheckpointWriterTest, AJobIsSavedThatLosesNothing) {
  struct Case {
    std::string name;
    std::function<void(Job&)> change;
    bool is_saved;
  };
  ChainPosition inside_evaluation;
  inside_evaluation.phase = ChainPosition::Phase::kEvaluate;
  inside_evaluation.step = 4;
  inside_evaluation.split = worker::v1::SPLIT_VALIDATION;
  ChainPosition begin_evaluation = inside_evaluation;
  inside_evaluation.task = 1;
  const std::vector<Case> cases = {
      {"never", [](Job&) {}, false},
      {"here", [](Job& job) { SetSaved(InStep(3), job); }, true},
      {"before", [](Job& job) { SetSaved(InStep(2), job); }, false},
      {"here, and not since",
       [](Job& job) {
         SetSaved(InStep(3), job);
         SetSaved(InStep(2), job);
       },
       false},
      {"its evaluation begins again",
       [&](Job& job) {
         job.position = inside_evaluation;
         SetSaved(begin_evaluation, job);
       },
       true},
      {"it has not begun", [](Job& job) { job.times.reset(); }, true},
      {"it is filled again", [](Job& job) { job.position = {}; }, true},
      {"it is paused",
       [](Job& job) { RestoreState(job, v1::JOB_STATE_PAUSED, ""); }, true},
      {"it has ended", [](Job& job) { RestorePhase(job, v1::JOB_PHASE_ENDED); },
       true},
  };
  for (const Case& each : cases) {
    Job& job = AddAt(1, InStep(3));
    each.change(job);
    EXPECT_EQ(Checkpoints::IsSaved(job), each.is_saved) << each.name;
    blocks_.EndAll(job.id);
    book_.Erase(job.id);
  }
}

TEST_F(CheckpointWriterTest, JobsAreSavedOneByOneWhenTheDaemonStops) {
  SetSaved(InStep(3), AddAt(1, InStep(3)));
  AddAt(2, InStep(3, 1));
  Job& busy = AddAt(3, InStep(3));
  AddOutstanding(InStep(3), busy);
  AddAt(4, InStep(3));
  // Its model is being written.
  RestorePhase(AddAt(5, InStep(3)), v1::JOB_PHASE_SAVE);
  EXPECT_FALSE(checkpoints_.all_saved_for_stop());
  for (int turn = 0; turn < 2; ++turn) checkpoints_.SaveForStop(now_);
  EXPECT_THAT(TakeRequested(), ElementsAre(JobId(2)));
  Written(JobId(2));
  checkpoints_.SaveForStop(now_);
  EXPECT_THAT(TakeRequested(), ElementsAre(JobId(4)));
  EXPECT_FALSE(checkpoints_.all_saved_for_stop());
  // It is not tried again for ever.
  checkpoints_.Written(JobId(4), absl::InternalError("no disk"), now_);
  EXPECT_TRUE(checkpoints_.all_saved_for_stop());
  busy.outstanding.clear();
  EXPECT_FALSE(checkpoints_.all_saved_for_stop());
  checkpoints_.SaveForStop(now_);
  EXPECT_THAT(TakeRequested(), ElementsAre(JobId(3)));
}

}  // namespace
}  // namespace hydra
