#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/core/job_move.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/core/testing/roster_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RosterBlameTest : public RosterFixture {
 protected:
  // The worker's process died of the job's task.
  void DieOf(uint64_t worker, Job& job) {
    At(worker).deaths.push_back(job.id);
    ++job.crashes_in_a_row;
    roster_.Blame(At(worker), job, "signal 9", now_);
  }
};

// --- Blame ---

TEST_F(RosterBlameTest, ADeviceThatDiesOfTwoJobsIsInQuarantineForAWhile) {
  AddPilotWaiter(9);
  Job& first = AddSmallJob(1, book_);
  Job& second = AddSmallJob(2, book_);
  DieOf(2, first);
  EXPECT_TRUE(At(2).usable());
  DieOf(2, second);
  EXPECT_FALSE(At(2).usable());
  EXPECT_TRUE(queue_.has_awake());
  EXPECT_EQ(roster_.Statuses(now_)[1].state(), v1::WORKER_STATE_QUARANTINED);
  EXPECT_THAT(roster_.Statuses(now_)[1].reason(),
              HasSubstr("died 2 times without finishing a task between, of "
                        "more than one job's, the last time of j2's (signal "
                        "9); it gets no task for 1m"));
  EXPECT_THAT(std::get<LineForJob>(actions_.back()).line.text(),
              StartsWith("worker cpu:1 is in quarantine: "));
  roster_.Tick(now_ + options_.quarantine - absl::Seconds(1));
  EXPECT_FALSE(At(2).usable());
  roster_.Tick(now_ + options_.quarantine);
  EXPECT_TRUE(At(2).usable());
  EXPECT_EQ(roster_.Statuses(now_)[1].reason(), "");
}

TEST_F(RosterBlameTest, TheNextQuarantineIsLonger) {
  for (uint64_t id : {1, 2}) DieOf(2, AddSmallJob(id, book_));
  roster_.Tick(now_ + options_.quarantine);
  DieOf(2, AddSmallJob(3, book_));
  roster_.Tick(now_ + 2 * options_.quarantine - absl::Seconds(1));
  EXPECT_FALSE(At(2).usable());
}

TEST_F(RosterBlameTest, TheLastDeviceIsNeededWhateverItIsLike) {
  At(1).absent = true;
  At(3).quarantined_until = now_ + absl::Hours(1);
  for (uint64_t id : {1, 2}) DieOf(2, AddSmallJob(id, book_));
  EXPECT_TRUE(At(2).usable());
}

TEST_F(RosterBlameTest, DeathsOfAJobThatIsToBlameAreForgivenToDevices) {
  Job& good = AddSmallJob(1, book_);
  Job& bad = AddSmallJob(2, book_);
  for (uint64_t worker : {1, 2}) {
    DieOf(worker, good);
    // It got on elsewhere.
    good.crashes_in_a_row = 0;
    DieOf(worker, bad);
    ASSERT_FALSE(At(worker).usable());
  }
  AddPilotWaiter(9);
  roster_.AcquitDevices(bad.id);
  for (uint64_t worker : {1, 2}) {
    EXPECT_THAT(At(worker).deaths, ElementsAre(good.id));
    EXPECT_TRUE(At(worker).usable());
    EXPECT_EQ(At(worker).quarantines, 0);
  }
  EXPECT_TRUE(queue_.has_awake());
}

TEST_F(RosterBlameTest, ADeviceThatIsToBlameWithoutTheJobStaysInQuarantine) {
  for (uint64_t id : {1, 2, 3}) DieOf(2, AddSmallJob(id, book_));
  roster_.AcquitDevices(JobId(3));
  EXPECT_FALSE(At(2).usable());
}

// --- Who may run what ---

// What one job may do on each of the three devices.
struct RunCase {
  std::string name;
  std::function<void(Job&, std::vector<WorkerRecord>&)> change;
  std::vector<bool> may_run;
  // "cpu:0" ...
  std::string pilot_device;
};

TEST_F(RosterBlameTest, ADeviceMayRunWhatFitsItAndDidNotKillIt) {
  const std::vector<RunCase> cases = {
      {"any", [](auto&, auto&) {}, {true, true, true}, "cpu:0"},
      {"cut for more memory",
       [](Job& job, auto&) { job.partition_limit_bytes = 2 << 20; },
       {false, true, true},
       "cpu:1"},
      {"cut for so much memory",
       [](Job& job, auto&) { job.partition_limit_bytes = 1 << 20; },
       {true, true, true},
       "cpu:0"},
      {"one died of it",
       [](Job& job, auto&) { job.crashed_on = {WorkerId(1)}; },
       {false, true, true},
       "cpu:1"},
      {"all died of it",
       [](Job& job, auto&) {
         job.crashed_on = {WorkerId(1), WorkerId(2), WorkerId(3)};
       },
       {true, true, true},
       "cpu:0"},
      {"the others died of it, and the last one is gone",
       [](Job& job, auto& workers) {
         job.crashed_on = {WorkerId(1), WorkerId(2)};
         workers[2].absent = true;
       },
       {true, true, false},
       "cpu:0"},
      {"the only one that it fits died of it",
       [](Job& job, auto& workers) {
         job.partition_limit_bytes = 2 << 20;
         job.crashed_on = {WorkerId(2)};
         workers[2].absent = true;
       },
       {false, true, false},
       "cpu:1"},
      {"one is in quarantine",
       [](Job&, auto& workers) {
         workers[0].quarantined_until = absl::InfiniteFuture();
       },
       {false, true, true},
       "cpu:1"},
      {"none is there",
       [](Job&, auto& workers) {
         for (WorkerRecord& worker : workers) worker.absent = true;
       },
       {false, false, false},
       "cpu:0"},
  };
  const std::vector<WorkerRecord> workers = roster_.all();
  for (const RunCase& each : cases) {
    SCOPED_TRACE(each.name);
    Job job;
    RestorePhase(job, v1::JOB_PHASE_TRAIN);
    roster_.all() = workers;
    each.change(job, roster_.all());
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(roster_.CanRun(roster_.all()[i], job), each.may_run[i]) << i;
    }
    EXPECT_EQ(roster_.PilotDevice(job).name, each.pilot_device);
    // A pilot runs there, or where the memory is the same.
    RestorePhase(job, v1::JOB_PHASE_PILOT);
    for (int i = 0; i < 3; ++i) {
      const bool is_as_large = roster_.all()[i].device.memory_limit_bytes ==
                               roster_.PilotDevice(job).memory_limit_bytes;
      EXPECT_EQ(roster_.CanRun(roster_.all()[i], job),
                each.may_run[i] && is_as_large)
          << i;
    }
  }
}

TEST_F(RosterBlameTest, TheLeastMemoryIsThatOfTheSmallestDeviceThereOrNot) {
  At(1).absent = true;
  EXPECT_EQ(roster_.LeastMemory(), 1 << 20);
}

TEST_F(RosterBlameTest, AJobIsPoisonousOnceItKilledOftenAndOnTwoDevices) {
  struct Case {
    int crashes;
    std::set<WorkerId> on;
    bool others_are_there;
    bool is_poisonous;
  };
  const std::vector<Case> cases = {
      {2, {WorkerId(1), WorkerId(2)}, true, false},
      {3, {WorkerId(1), WorkerId(2)}, true, true},
      {3, {WorkerId(1)}, true, false},
      {9, {WorkerId(1)}, true, false},
      {3, {WorkerId(1)}, false, true},
      {2, {WorkerId(1)}, false, false},
  };
  for (const Case& each : cases) {
    Job job;
    job.crashes_in_a_row = each.crashes;
    job.crashed_on = each.on;
    for (uint64_t worker : {2, 3}) At(worker).absent = !each.others_are_there;
    EXPECT_EQ(roster_.IsPoisonous(job), each.is_poisonous)
        << each.crashes << " on " << each.on.size();
  }
}

}  // namespace
}  // namespace hydra
