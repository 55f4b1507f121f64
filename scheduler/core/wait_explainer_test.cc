#include "scheduler/core/wait_explainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/testing/hands_fixture.h"
#include "scheduler/policy/fifo.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Two devices, the first one the smaller. Jobs have waited for long.
class WaitExplainerTest : public HandsFixture {
 protected:
  WaitExplainerTest() { At(2).device.memory_limit_bytes = 2 << 20; }

  void Enqueue(Job& job) {
    queue_.Enqueue(job, now_ - options_.wait_to_explain);
  }
  Job& AddQueued(uint64_t id, const ChainPosition& place) {
    Job& job = AddAt(id, place);
    Enqueue(job);
    return job;
  }
  void Explain() {
    explainer_.Tick(now_);
    while (explainer_.has_more_work()) explainer_.ExplainSome(now_);
  }

  Checkpoints checkpoints_{&options_, &book_,    &queue_,
                           &blocks_,  &journal_, &actions_};
  WaitExplainer explainer_{
      {&options_, &book_, &queue_, &blocks_, &roster_, &hands_, &checkpoints_}};
};

class WaitReasonTest : public WaitExplainerTest {
 protected:
  // What the only job in the queue says.
  std::string ReasonAfter(const std::function<void(Job&)>& change) {
    Job& job = AddQueued(1, InStep(3));
    change(job);
    Explain();
    EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
    return job.reason;
  }
  void EndStreams(const std::vector<uint64_t>& workers) {
    for (uint64_t worker : workers) roster_.StreamEnded(WorkerId(worker), now_);
  }
};

TEST_F(WaitReasonTest, ADeviceThatIsBusy) {
  EXPECT_EQ(ReasonAfter([](Job&) {}), "waits for a free device");
}

TEST_F(WaitReasonTest, TheServerIsInMaintenance) {
  roster_.SetMaintenance("driver update");
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            "waits for the end of the server's maintenance: driver update");
}

TEST_F(WaitReasonTest, AllDevicesAreDrained) {
  roster_.SetDrained(At(1), "new fan");
  roster_.SetDrained(At(2), "");
  EXPECT_EQ(
      ReasonAfter([](Job&) {}),
      absl::StrCat("waits for a free device; ", At(1).device.name,
                   " is drained: new fan; ", At(2).device.name, " is drained"));
}

TEST_F(WaitReasonTest, OneDeviceIsDrainedAndTheOtherIsNotThere) {
  roster_.SetDrained(At(1), "new fan");
  EndStreams({2});
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            absl::StrCat("waits for a device: none of 2 takes tasks; ",
                         At(1).device.name, " is drained: new fan"));
}

TEST_F(WaitReasonTest, NoDeviceIsThere) {
  EndStreams({1, 2});
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            "waits for a device: none of 2 takes tasks");
}

TEST_F(WaitReasonTest, OneIsThereAndGetsNoTask) {
  EndStreams({1});
  At(2).quarantined_until = absl::InfiniteFuture();
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            "waits for a device: none of 2 takes tasks");
}

TEST_F(WaitReasonTest, NoDeviceCanStart) {
  EndStreams({1, 2});
  queue_.SayOfDevices("none can start; no driver");
  EXPECT_EQ(ReasonAfter([](Job&) {}), "none can start; no driver");
}

TEST_F(WaitReasonTest, ThePilotsDeviceIsAway) {
  EndStreams({1});
  EXPECT_EQ(
      ReasonAfter([](Job& job) { RestorePhase(job, v1::JOB_PHASE_PILOT); }),
      "waits for cpu:0, the device with the least memory, on which its "
      "cut points are found");
}

TEST_F(WaitReasonTest, AnotherDeviceThanTheOneThatDiedOfIt) {
  EndStreams({2});
  EXPECT_EQ(ReasonAfter([](Job& job) { job.crashed_on = {WorkerId(1)}; }),
            "waits for a device: none of the 1 that take tasks may run it; 1 "
            "died of it, another one comes first");
}

TEST_F(WaitReasonTest, ADeviceWithMoreMemory) {
  EndStreams({2});
  EXPECT_EQ(ReasonAfter([](Job& job) { job.partition_limit_bytes = 2 << 20; }),
            "waits for a device: none of the 1 that take tasks may run it; its "
            "cut points need at least 2097152 bytes");
}

TEST_F(WaitReasonTest, RoomInThePool) {
  // Another one goes on, and may free some.
  HandOut(AddAt(2, InStep(3)));
  const std::string reason =
      ReasonAfter([](Job& job) { job.refused_write_bytes = 4096; });
  EXPECT_EQ(reason,
            absl::StrCat("waits for room in the pool: its next task writes "
                         "4096 bytes, and of ",
                         blocks_.free_bytes(), " free ones at most ",
                         blocks_.largest_free_bytes(), " lie together"));
}

TEST_F(WaitReasonTest, RoomThatNobodyWillFree) {
  EXPECT_THAT(ReasonAfter([](Job& job) { job.refused_write_bytes = 4096; }),
              HasSubstr("no job's next task finds room: nothing goes on until "
                        "a job is paused or cancelled"));
}

TEST_F(WaitReasonTest, RoomThatACheckpointMayFree) {
  checkpoints_.Save(AddAt(2, InStep(3)), now_);
  EXPECT_THAT(ReasonAfter([](Job& job) { job.refused_write_bytes = 4096; }),
              ::testing::Not(HasSubstr("nothing goes on")));
}

TEST_F(WaitReasonTest, ItsOwnCheckpoint) {
  EXPECT_EQ(ReasonAfter([&](Job& job) { checkpoints_.Save(job, now_); }),
            "waits until its checkpoint is written");
}

TEST_F(WaitReasonTest, JobsThatGoFirst) {
  Job& one = AddQueued(2, InStep(2));
  HandOut(AddAt(3, InStep(1)), 1);
  // This one has less left.
  HandOut(AddAt(4, InStep(9)), 2);
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            "waits for a device: 2 jobs with more time remaining are ahead");
  EXPECT_EQ(one.reason,
            "waits for a device: 1 job with more time remaining is ahead");
}

TEST_F(WaitReasonTest, OtherUsersTakeTurns) {
  Job& held = AddAt(3, InStep(1));
  held.owner = Caller{1000};
  HandOut(held, 1);
  Job& of_another = AddAt(4, InStep(1));
  of_another.owner = Caller{1001};
  Enqueue(of_another);
  // It has more left than the one that is asked.
  Job& first = AddAt(2, InStep(1));
  Enqueue(first);
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            "waits for a device: number 2 of its user's jobs; they take turns "
            "with those of 2 other users");
}

// Whatever time they have left, and however long ago it had a task.
TEST_F(WaitReasonTest, JobsOfAHigherPriorityGoFirst) {
  Job& first = AddAt(2, InStep(4));
  first.priority = 5;
  Enqueue(first);
  EXPECT_EQ(ReasonAfter([](Job&) {}),
            "waits for a device: number 2 of its user's jobs, higher "
            "priorities first");
}

// Whatever time they have left.
TEST_F(WaitExplainerTest, UnderFifoThoseThatWereSubmittedEarlierGoFirst) {
  Fifo fifo;
  JobQueue queue(&fifo, &book_);
  WaitExplainer explainer(
      {&options_, &book_, &queue, &blocks_, &roster_, &hands_, &checkpoints_});
  const auto add = [&](uint64_t id, int64_t step, int submitted) -> Job& {
    Job& job = AddAt(id, InStep(step));
    job.submitted_at = absl::FromUnixSeconds(submitted);
    return job;
  };
  HandOut(add(1, /*step=*/9, /*submitted=*/10), 1);
  HandOut(add(2, /*step=*/1, /*submitted=*/40), 2);
  Job& first = add(3, /*step=*/8, /*submitted=*/20);
  Job& second = add(4, /*step=*/2, /*submitted=*/30);
  for (Job* job : {&first, &second}) {
    queue.Enqueue(*job, now_ - options_.wait_to_explain);
  }
  explainer.Tick(now_);
  explainer.ExplainSome(now_);
  EXPECT_EQ(first.reason,
            "waits for a device: 1 job that was submitted earlier is ahead");
  EXPECT_EQ(second.reason,
            "waits for a device: 2 jobs that were submitted earlier are ahead");
}

TEST_F(WaitReasonTest, OfEqualOnesInHandsThoseThatThePolicyPutsFirst) {
  HandOut(AddAt(3, InStep(3)), 1);
  Job& later = AddQueued(4, InStep(3));
  EXPECT_EQ(ReasonAfter([](Job&) {}), "waits for a free device");
  EXPECT_EQ(later.reason,
            "waits for a device: 2 jobs with more time remaining are ahead");
}

// --- When they say it ---

TEST_F(WaitExplainerTest, OnlyAJobThatWaitedForAWhileSaysIt) {
  Job& job = AddAt(1, InStep(3));
  queue_.Enqueue(job, now_ - options_.wait_to_explain + absl::Seconds(1));
  Explain();
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(job.reason, "");
}

TEST_F(WaitExplainerTest, ItIsLookedAtEverySoOften) {
  Explain();
  Job& job = AddQueued(1, InStep(3));
  explainer_.Tick(now_ + options_.wait_to_explain - absl::Seconds(1));
  EXPECT_FALSE(explainer_.has_more_work());
  explainer_.Tick(now_ + options_.wait_to_explain);
  EXPECT_TRUE(explainer_.has_more_work());
  explainer_.ExplainSome(now_);
  EXPECT_FALSE(explainer_.has_more_work());
  EXPECT_EQ(job.reason, "waits for a free device");
}

TEST_F(WaitExplainerTest, ARestartKnowsThatAJobStopped) {
  (void)journal_.pool_changes();
  journal_.TakeEntries();
  Job& job = AddQueued(1, InStep(3));
  EXPECT_THAT(journal_.pool_changes(), IsEmpty());
  Explain();
  EXPECT_THAT(journal_.pool_changes(), SizeIs(1));
  // What it says already is no change.
  book_.TakeChanges(9);
  explainer_.Tick(now_ + options_.wait_to_explain);
  explainer_.ExplainSome(now_ + options_.wait_to_explain);
  EXPECT_FALSE(book_.has_changes());
  EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
}

TEST_F(WaitExplainerTest, AJobThatLeftTheQueueMeanwhileSaysNothing) {
  Job& left = AddQueued(1, InStep(3));
  Job& gone = AddQueued(2, InStep(3));
  explainer_.Tick(now_);
  queue_.Dequeue(left.id);
  queue_.Leave(gone.id);
  book_.Erase(gone.id);
  explainer_.ExplainSome(now_);
  EXPECT_EQ(left.reason, "");
}

TEST_F(WaitExplainerTest, OfVeryManyJobsATurnExplainsSome) {
  constexpr int kJobs = 1200;
  for (int id = 1; id <= kJobs; ++id) Enqueue(AddSmallJob(id, book_));
  explainer_.Tick(now_);
  int turns = 0;
  for (; explainer_.has_more_work(); ++turns) explainer_.ExplainSome(now_);
  EXPECT_EQ(turns, 3);
  EXPECT_EQ(book_.At(JobId(kJobs)).reason,
            "waits for a device: 1199 jobs with more time remaining are ahead");
}

}  // namespace
}  // namespace hydra
