#include "scheduler/core/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

class JobQueueTest : public ::testing::Test {
 protected:
  std::vector<JobId> Queued() const {
    std::vector<JobId> jobs;
    queue_.ForEachInOrder([&](const JobView& job) {
      jobs.push_back(job.id);
      return true;
    });
    return jobs;
  }
  std::vector<JobId> TakeAllAwake() {
    std::vector<JobId> jobs;
    while (std::optional<JobId> job = queue_.TakeAwake()) jobs.push_back(*job);
    return jobs;
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  ShardedLrtf policy_;
  JobQueue queue_{&policy_, &book_};
};

TEST_F(JobQueueTest, ANewJobSaysThatItWaitsForADevice) {
  Job& job = AddSmallJob(1, book_);
  queue_.Enqueue(job, now_);
  EXPECT_THAT(Queued(), ElementsAre(JobId(1)));
  EXPECT_EQ(job.reason, JobQueue::kWaitsForADevice);
  EXPECT_THAT(book_.TakeChanges(9).jobs, ElementsAre(JobId(1)));
}

TEST_F(JobQueueTest, ARunningJobStaysRunningBetweenItsTasks) {
  Job& job = AddSmallJob(1, book_);
  RestoreState(job, v1::JOB_STATE_RUNNING, "");
  queue_.Enqueue(job, now_);
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(job.reason, "");
  EXPECT_THAT(book_.TakeChanges(9).jobs, IsEmpty());
}

TEST_F(JobQueueTest, AJobIsQueuedSinceItCameAndNotSinceItsOrderChanged) {
  Job& job = AddSmallJob(1, book_);
  queue_.Enqueue(job, now_);
  queue_.Enqueue(job, now_ + absl::Seconds(3));
  EXPECT_EQ(job.queued_since, now_);
  EXPECT_THAT(Queued(), ElementsAre(JobId(1)));
}

// What is not measured yet takes for ever, as far as anybody knows.
TEST_F(JobQueueTest, JobsStandWhereTheirRemainingTimePutsThem) {
  BlockTable blocks(0, 1 << 20);
  for (uint64_t id : {1, 2, 3}) AddSmallJob(id, book_);
  PutIntoChain(InStep(9), book_.At(JobId(1)), blocks);
  PutIntoChain(InStep(2), book_.At(JobId(2)), blocks);
  for (uint64_t id : {1, 2, 3}) queue_.Enqueue(book_.At(JobId(id)), now_);
  EXPECT_THAT(Queued(), ElementsAre(JobId(3), JobId(2), JobId(1)));
  queue_.Dequeue(JobId(2));
  EXPECT_THAT(Queued(), ElementsAre(JobId(3), JobId(1)));
}

TEST_F(JobQueueTest, AJobThatRestsComesOutOnceItsRestIsOver) {
  Job& job = AddSmallJob(1, book_);
  RestoreState(job, v1::JOB_STATE_RUNNING, "");
  job.reason = "it is tried again";
  job.rests_until = now_ + absl::Seconds(4);
  queue_.Enqueue(job, now_);
  EXPECT_THAT(Queued(), IsEmpty());
  EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(job.reason, "it is tried again");
  EXPECT_THAT(queue_.TakeRested(now_ + absl::Seconds(3)), IsEmpty());
  EXPECT_THAT(queue_.TakeRested(now_ + absl::Seconds(4)),
              ElementsAre(JobId(1)));
  EXPECT_THAT(queue_.TakeRested(now_ + absl::Seconds(5)), IsEmpty());
}

TEST_F(JobQueueTest, AJobThatIsForgottenWhileItRestsDoesNotComeOut) {
  Job& job = AddSmallJob(1, book_);
  job.rests_until = now_ + absl::Seconds(4);
  queue_.Enqueue(job, now_);
  book_.Erase(JobId(1));
  EXPECT_THAT(queue_.TakeRested(now_ + absl::Seconds(4)), IsEmpty());
}

TEST_F(JobQueueTest, AnEventWakesThoseThatWaitForIt) {
  for (uint64_t id : {1, 2, 3}) AddSmallJob(id, book_);
  queue_.WaitFor(book_.At(JobId(1)), "data", "waits for the data");
  queue_.WaitFor(book_.At(JobId(2)), JobQueue::kPilotWait, "waits for j9");
  queue_.WaitFor(book_.At(JobId(3)), "data", "waits for the data");
  EXPECT_EQ(book_.At(JobId(1)).reason, "waits for the data");
  queue_.Wake("data");
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(1), JobId(3)));
  EXPECT_FALSE(queue_.has_awake());
}

// Else whoever waits for thousands of others would be told of each.
TEST_F(JobQueueTest, AReasonThatStaysIsNoChange) {
  Job& job = AddSmallJob(1, book_);
  queue_.WaitFor(job, "data", "waits");
  book_.TakeChanges(9);
  queue_.WaitFor(job, "data", "waits");
  EXPECT_FALSE(book_.has_changes());
  queue_.WaitFor(job, "other data", "waits for others");
  EXPECT_TRUE(book_.has_changes());
}

TEST_F(JobQueueTest, RoomIsOfferedToTheFirstThatWaitsForIt) {
  for (uint64_t id : {1, 2, 3}) AddSmallJob(id, book_);
  queue_.WaitForRoom(book_.At(JobId(3)), "no room", now_);
  queue_.WaitForRoom(book_.At(JobId(2)), "no room", now_);
  EXPECT_TRUE(queue_.WaitsBehindOthers(book_.At(JobId(3))));
  EXPECT_FALSE(queue_.WaitsBehindOthers(book_.At(JobId(1))));
  queue_.OfferRoom();
  EXPECT_THAT(queue_.TakeAwake(), Optional(JobId(2)));
  // It takes the room that there is.
  queue_.WaitForRoom(book_.At(JobId(2)), "no room", now_);
  EXPECT_FALSE(queue_.has_awake());
}

TEST_F(JobQueueTest, AJobInTheQueueWaitsForNothingElse) {
  Job& job = AddSmallJob(1, book_);
  queue_.WaitFor(job, "data", "waits for the data");
  queue_.Enqueue(job, now_);
  queue_.Wake("data");
  EXPECT_FALSE(queue_.has_awake());
}

TEST_F(JobQueueTest, AJobThatLeavesStandsNowhere) {
  for (uint64_t id : {1, 2, 3}) AddSmallJob(id, book_);
  queue_.Enqueue(book_.At(JobId(1)), now_);
  queue_.WaitFor(book_.At(JobId(2)), "data", "waits for the data");
  book_.At(JobId(3)).rests_until = now_ + absl::Seconds(4);
  queue_.Enqueue(book_.At(JobId(3)), now_);
  for (uint64_t id : {1, 2, 3}) queue_.Leave(JobId(id));
  queue_.Wake("data");
  EXPECT_THAT(Queued(), IsEmpty());
  EXPECT_FALSE(queue_.has_awake());
  EXPECT_THAT(queue_.TakeRested(now_ + absl::Seconds(4)), IsEmpty());
}

TEST_F(JobQueueTest, WhyDevicesAreNotFreeIsSaidByThoseThatWaitForOne) {
  for (uint64_t id : {1, 2, 3}) AddSmallJob(id, book_);
  queue_.Enqueue(book_.At(JobId(1)), now_);
  queue_.WaitFor(book_.At(JobId(2)), "data", "waits for the data");
  queue_.SayOfDevices("none can start");
  queue_.Enqueue(book_.At(JobId(3)), now_);
  EXPECT_EQ(book_.At(JobId(1)).reason, "none can start");
  EXPECT_EQ(book_.At(JobId(2)).reason, "waits for the data");
  EXPECT_EQ(book_.At(JobId(3)).reason, "none can start");
  EXPECT_EQ(queue_.waits_for_device(), "none can start");
  queue_.SayOfDevices(JobQueue::kWaitsForADevice);
  EXPECT_EQ(book_.At(JobId(1)).reason, JobQueue::kWaitsForADevice);
}

}  // namespace
}  // namespace hydra
