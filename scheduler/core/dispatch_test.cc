#include "scheduler/core/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

using ::testing::Eq;
using ::testing::Optional;
using ::testing::VariantWith;

JobView Job(uint64_t id, double hours) {
  return {JobId(id), absl::Hours(hours), absl::UnixEpoch()};
}

// A snapshot in a few lines, of which one question is asked.
class DispatchTest : public ::testing::Test {
 protected:
  // Device number `id`, which holds `held` tasks.
  DispatchView::Device& Device(uint64_t id, size_t held) {
    DispatchView::Device device;
    device.id = WorkerId(id);
    device.takes_tasks = true;
    device.held_tasks = held;
    device.hand_size = device.promised_size = kHandSize;
    devices_.push_back(device);
    return devices_.back();
  }
  void Runnable(const JobView& job) { policy_.Upsert(job); }
  void Forbid(uint64_t worker, uint64_t job) {
    forbidden_.insert({WorkerId(worker), JobId(job)});
  }

  std::optional<Dispatch> Ask() {
    const auto each = [this](absl::FunctionRef<bool(const JobView&)> visit) {
      policy_.ForEachInOrder(visit);
    };
    const auto can_run = [this](WorkerId worker, JobId job) {
      return forbidden_.count({worker, job}) == 0;
    };
    const auto before = [this](const JobView& a, const JobView& b) {
      return policy_.Before(a, b);
    };
    const auto by_far = [this](const JobView& a, const JobView& b) {
      return policy_.BeforeByFar(a, b);
    };
    const auto may_yield = [this](const JobView& first, const JobView& other) {
      return policy_.MayYield(first, other);
    };
    const auto recent = [this](WorkerId worker) {
      std::vector<JobView> jobs;
      policy_.ForEachInOrder([&](const JobView& job) {
        if (resident_.count({worker, job.id}) > 0) jobs.push_back(job);
        return true;
      });
      return jobs;
    };
    const auto bytes = [this](WorkerId worker, JobId job) {
      const auto found = resident_.find({worker, job});
      return found == resident_.end() ? int64_t{0} : found->second;
    };
    return NextDispatch({devices_, each, can_run, before, by_far, may_yield,
                         recent, bytes, full_});
  }
  // Of what the job's next task reads.
  void Has(uint64_t worker, uint64_t job, int64_t bytes) {
    resident_[{WorkerId(worker), JobId(job)}] = bytes;
  }
  static auto Gives(uint64_t worker, uint64_t job) {
    return Optional(
        VariantWith<GiveTask>(Eq(GiveTask{WorkerId(worker), JobId(job)})));
  }
  static auto AsksBack(uint64_t job) {
    return Optional(VariantWith<AskBack>(Eq(AskBack{JobId(job)})));
  }

  static constexpr size_t kHandSize = 2;
  std::vector<DispatchView::Device> devices_;
  ShardedLrtf policy_;
  std::set<std::pair<WorkerId, JobId>> forbidden_;
  std::map<std::pair<WorkerId, JobId>, int64_t> resident_;
  // Jobs without room.
  absl::flat_hash_set<JobId> full_;
};

TEST_F(DispatchTest, NobodyGetsAnythingWithoutJobs) {
  Device(1, 0);
  Device(2, 1);
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, AnEmptyHandGetsTheFirstJobOfThePolicy) {
  Device(1, 0);
  Runnable(Job(7, 1));
  Runnable(Job(8, 3));
  Runnable(Job(9, 2));
  EXPECT_THAT(Ask(), Gives(1, 8));
}

TEST_F(DispatchTest, ADeviceThatOnlyHasToWriteGetsTheBestOfQueueAndSuccessors) {
  Device(1, 0).successors = {{Job(5, 2)}};
  EXPECT_THAT(Ask(), Gives(1, 5));
  Runnable(Job(7, 1));
  EXPECT_THAT(Ask(), Gives(1, 5));
  Runnable(Job(8, 3));
  EXPECT_THAT(Ask(), Gives(1, 8));
}

TEST_F(DispatchTest, AnEmptyHandComesBeforeTasksAhead) {
  Device(1, 1).successors = {{Job(5, 9)}};
  Device(2, 0);
  Runnable(Job(7, 1));
  EXPECT_THAT(Ask(), Gives(2, 7));
}

TEST_F(DispatchTest, ADeviceThatIsNotThereGetsNothing) {
  Device(1, 0).takes_tasks = false;
  Runnable(Job(7, 1));
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, ADrainedDeviceGetsNothing) {
  Device(1, 0).drained = true;
  DispatchView::Device& computes = Device(2, 1);
  computes.drained = true;
  computes.successors = {{Job(5, 9)}};
  Runnable(Job(7, 1));
  EXPECT_EQ(Ask(), std::nullopt);
  Device(3, 0);
  EXPECT_THAT(Ask(), Gives(3, 7));
}

TEST_F(DispatchTest, WhatHasNotBegunOnADrainedDeviceIsAskedBackFirst) {
  Device(1, 2).promises = {{Job(4, 1), false, false}, {Job(5, 1), false, true}};
  devices_.back().drained = true;
  Device(2, 0);
  Runnable(Job(7, 1));
  EXPECT_THAT(Ask(), AsksBack(5));
  devices_[0].promises[1].can_come_back = false;
  EXPECT_THAT(Ask(), Gives(2, 7));
}

TEST_F(DispatchTest, WhatComesBackFromADrainedDeviceLeavesOtherPromisesFree) {
  Device(1, 2).promises = {{Job(4, 1), true, false}};
  devices_.back().drained = true;
  Device(2, 2).promises = {{Job(5, 1), false, true}};
  Device(3, 0);
  EXPECT_THAT(Ask(), AsksBack(5));
}

TEST_F(DispatchTest, AJobThatTheDeviceMayNotRunIsPassedOver) {
  Device(1, 0);
  Runnable(Job(7, 1));
  Runnable(Job(8, 3));
  Forbid(1, 8);
  EXPECT_THAT(Ask(), Gives(1, 7));
}

// As a job does whose checkpoint is being written and that finds no room
// beside it, or any job in a fragmented pool.
TEST_F(DispatchTest, AJobWithoutRoomLetsTheNextOnePass) {
  Device(1, 0);
  Runnable(Job(7, 1));
  Runnable(Job(8, 3));
  full_ = {JobId(8)};
  EXPECT_THAT(Ask(), Gives(1, 7));
  full_ = {JobId(7), JobId(8)};
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, OfVeryManyJobsWithoutRoomADeviceTriesSome) {
  Device(1, 0);
  for (uint64_t id = 1; id <= 33; ++id) {
    Runnable(Job(id, 100.0 - id));
    if (id <= 32) full_.insert(JobId(id));
  }
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, OneAccountsJobsWithoutRoomLeaveADeviceToTheNextOnes) {
  Device(1, 0);
  for (uint64_t id = 1; id <= 40; ++id) {
    Runnable(Job(id, 100.0 - id));
    full_.insert(JobId(id));
  }
  JobView of_another = Job(41, 1);
  of_another.account = Account{1};
  Runnable(of_another);
  EXPECT_THAT(Ask(), Gives(1, 41));
}

TEST_F(DispatchTest, AnIdleDeviceHasTheBestPromiseAskedBack) {
  Device(1, 3).promises = {{Job(5, 1), false, true}, {Job(6, 2), false, true}};
  Device(2, 0);
  EXPECT_THAT(Ask(), AsksBack(6));
}

TEST_F(DispatchTest, APromiseIsAskedBackOnlyForWhoeverMayRunIt) {
  Device(1, 3).promises = {{Job(5, 1), false, true}, {Job(6, 2), false, true}};
  Device(2, 0);
  Forbid(2, 6);
  EXPECT_THAT(Ask(), AsksBack(5));
}

TEST_F(DispatchTest, PromisesComeBackOneAtATime) {
  Device(1, 3).promises = {{Job(5, 1), true, false}, {Job(6, 2), false, true}};
  Device(2, 0);
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, WhatHasBegunIsNotAskedBack) {
  Device(1, 3).promises = {{Job(5, 1), false, false}};
  Device(2, 0);
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, AheadComesTheBestOfQueueAndSuccessors) {
  Device(1, 1).successors = {{Job(5, 2)}, {Job(6, 3)}};
  Runnable(Job(7, 1));
  EXPECT_THAT(Ask(), Gives(1, 6));
  Runnable(Job(7, 4));
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest, AStepGoesOnUnlessSomethingElseComesFirstByFar) {
  JobView inside = Job(5, 2);
  inside.step = absl::Minutes(10);
  Device(1, 1).successors = {{inside, /*inside_step=*/true}, {Job(6, 2.1)}};
  Runnable(Job(7, 2.1));
  EXPECT_THAT(Ask(), Gives(1, 5));
  Runnable(Job(8, 2.4));
  EXPECT_THAT(Ask(), Gives(1, 8));
}

// A hundredth of 100 hours is an hour.
TEST_F(DispatchTest, TheBestYieldsToAJobOfWhichTheDeviceHasMore) {
  Device(1, 0);
  Runnable(Job(7, 100));
  Runnable(Job(8, 99.5));
  Runnable(Job(9, 98));
  Has(1, 9, 900);
  EXPECT_THAT(Ask(), Gives(1, 7)) << "the last one has too little time left";
  Has(1, 8, 10);
  EXPECT_THAT(Ask(), Gives(1, 8));
  Has(1, 7, 10);
  EXPECT_THAT(Ask(), Gives(1, 7)) << "as many bytes: the order decides";
  Has(1, 8, 11);
  EXPECT_THAT(Ask(), Gives(1, 8));
  full_ = {JobId(8)};
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest, WhatAnotherDeviceHasDoesNotCount) {
  Device(1, 0);
  Device(2, kHandSize);
  Runnable(Job(7, 100));
  Runnable(Job(8, 99.5));
  Has(2, 8, 10);
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest, BetweenStepsADeviceGoesOnWithWhatItHas) {
  Device(1, 1).successors = {{Job(5, 99.5)}};
  Runnable(Job(7, 100));
  EXPECT_THAT(Ask(), Gives(1, 7));
  Has(1, 5, 10);
  EXPECT_THAT(Ask(), Gives(1, 5));
  Has(1, 7, 20);
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest, WhatWouldWaitForTheHostYieldsToTheQueue) {
  DispatchView::Device& device = Device(1, 1);
  device.successors = {{Job(5, 100), /*inside_step=*/false, /*waits=*/true}};
  EXPECT_THAT(Ask(), Gives(1, 5)) << "there is nothing else";
  Runnable(Job(7, 98));
  EXPECT_THAT(Ask(), Gives(1, 5)) << "the other one has too little time left";
  Runnable(Job(8, 99.5));
  EXPECT_THAT(Ask(), Gives(1, 8));
  Has(1, 5, 10);
  EXPECT_THAT(Ask(), Gives(1, 8));
  device.successors[0].waits = false;
  EXPECT_THAT(Ask(), Gives(1, 5));
  // As a clipped step's update does.
  device.successors[0] = {Job(5, 100), /*inside_step=*/true, /*waits=*/true};
  EXPECT_THAT(Ask(), Gives(1, 8));
}

TEST_F(DispatchTest, OfItsOwnTasksADeviceGoesOnWithOneThatNeedNotWait) {
  Device(1, 1).successors = {{Job(5, 100), /*inside_step=*/false, true},
                             {Job(6, 99.5), /*inside_step=*/false, false}};
  EXPECT_THAT(Ask(), Gives(1, 6));
}

TEST_F(DispatchTest, NobodyGetsMoreThanPromisedBeforeAllHaveThat) {
  DispatchView::Device& first = Device(1, kHandSize);
  first.hand_size = kHandSize + 1;
  Device(2, kHandSize - 1);
  Runnable(Job(7, 100));
  EXPECT_THAT(Ask(), Gives(2, 7));
  devices_[1].held_tasks = kHandSize;
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest, AheadNoJobIsTakenFromAnIdleDeviceForItsBytes) {
  Device(1, 1).successors = {{Job(5, 100)}};
  Device(2, 0);
  Runnable(Job(7, 99.5));
  full_ = {JobId(7)};
  Has(1, 7, 10);
  EXPECT_THAT(Ask(), Gives(1, 5));
  full_ = {};
  Forbid(2, 7);
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest,
       WithoutRoomForAStepADeviceWithNothingToComputeTakesAnother) {
  JobView inside = Job(5, 2);
  inside.step = absl::Minutes(10);
  DispatchView::Device& device = Device(1, 0);
  device.successors = {{inside, /*inside_step=*/true}};
  Runnable(Job(7, 2.1));
  full_ = {JobId(5)};
  EXPECT_THAT(Ask(), Gives(1, 7));
  device.held_tasks = 1;
  EXPECT_EQ(Ask(), std::nullopt) << "a promise waits for the step's room";
}

// Hours apart by less than a hundredth, and a step takes an hour.
TEST_F(DispatchTest, ABaseServesTheStepsThatReadItBeforeTheyGoOn) {
  JobView last = Job(5, 200);
  JobView mate = Job(6, 199);
  JobView other = Job(7, 199.5);
  last.step = mate.step = other.step = absl::Hours(1);
  DispatchView::Device& device = Device(1, 1);
  device.successors = {{last, /*inside_step=*/true}};
  device.mates = {{mate, /*inside_step=*/true, /*waits=*/false,
                   /*reads_same_base=*/true}};
  Runnable(mate);
  Runnable(other);
  EXPECT_THAT(Ask(), Gives(1, 6));
  device.mates[0].reads_same_base = false;
  EXPECT_THAT(Ask(), Gives(1, 5)) << "nobody needs what is there";
  device.successors.clear();
  EXPECT_THAT(Ask(), Gives(1, 6)) << "the device is inside of its step, too";
}

TEST_F(DispatchTest, ABaseServesANewStepOnlyIfItsJobMayGoFirst) {
  JobView last = Job(5, 200);
  JobView mate = Job(6, 199);
  last.step = mate.step = absl::Hours(1);
  DispatchView::Device& device = Device(1, 1);
  device.successors = {{last, /*inside_step=*/true}};
  device.mates = {{mate, /*inside_step=*/false, /*waits=*/false,
                   /*reads_same_base=*/true}};
  Runnable(mate);
  EXPECT_THAT(Ask(), Gives(1, 6));
  Runnable(Job(7, 250));
  EXPECT_THAT(Ask(), Gives(1, 5)) << "another one is ahead by too much";
}

TEST_F(DispatchTest, WhoIsBehindTheOthersOfABaseCatchesUpWithThem) {
  JobView ahead = Job(5, 199);
  JobView behind = Job(6, 200);
  ahead.step = behind.step = absl::Hours(1);
  DispatchView::Device& device = Device(1, 1);
  device.successors = {{ahead, /*inside_step=*/true}};
  device.mates = {{behind, /*inside_step=*/false}};
  Runnable(behind);
  EXPECT_THAT(Ask(), Gives(1, 6)) << "its step begins, up to where they are";
  device.mates[0].job.remaining = absl::Hours(198);
  Runnable(device.mates[0].job);
  EXPECT_THAT(Ask(), Gives(1, 5)) << "now they are behind";
}

TEST_F(DispatchTest, NoJobIsTakenFromAnIdleDeviceForABase) {
  JobView mate = Job(6, 199);
  Device(1, 1);
  Device(2, 0);
  devices_[0].successors = {{Job(5, 200), /*inside_step=*/true}};
  devices_[0].mates = {{mate, /*inside_step=*/true, /*waits=*/false,
                        /*reads_same_base=*/true}};
  Runnable(mate);
  full_ = {JobId(6)};
  EXPECT_THAT(Ask(), Gives(1, 5));
}

TEST_F(DispatchTest, AFullHandGetsNothingAhead) {
  Device(1, kHandSize).successors = {{Job(5, 2)}};
  Runnable(Job(7, 1));
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, NoJobIsPromisedThatAnIdleDeviceCouldBegin) {
  Device(1, 1);
  Device(2, 0);
  Runnable(Job(7, 1));
  // No room for the idle one now; it shall not be promised to the other.
  full_ = {JobId(7)};
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(DispatchTest, AJobThatNoIdleDeviceMayRunIsPromised) {
  Device(1, 1);
  Device(2, 0);
  Runnable(Job(7, 1));
  Forbid(2, 7);
  EXPECT_THAT(Ask(), Gives(1, 7));
}

TEST_F(DispatchTest, WithoutRoomForTheJobAheadTheSuccessorGoesOn) {
  Device(1, 1).successors = {{Job(5, 2)}};
  Runnable(Job(7, 4));
  full_ = {JobId(7)};
  EXPECT_THAT(Ask(), Gives(1, 5));
}

// Else a job that comes next would be overtaken by what fits.
TEST_F(DispatchTest, WithoutRoomForTheBestSuccessorNothingComesAhead) {
  Device(1, 1).successors = {{Job(5, 2)}};
  Runnable(Job(7, 1));
  full_ = {JobId(5)};
  EXPECT_EQ(Ask(), std::nullopt);
}

}  // namespace
}  // namespace hydra
