#include "scheduler/core/job_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/records.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = JobStart::Outcome::Kind;

class JobStartTest : public ::testing::Test {
 protected:
  static constexpr int64_t kPoolBytes = 1 << 20;

  static CoreOptions TwoDevices() {
    CoreOptions options;
    options.devices = {{"cpu:0", 1 << 20, 1}, {"cpu:1", 2 << 20, 1}};
    return options;
  }
  static QuotaOptions AtMostTwoOfAUser() {
    QuotaOptions options;
    options.each.admitted_jobs = 2;
    return options;
  }
  // A job whose data and cut points are known.
  Job& AddCut(uint64_t id) {
    Job& job = AddSmallJob(id, book_);
    SetPrepared(job);
    start_.SetPartition(job, CutBefore({2}), /*limit_bytes=*/0);
    RestorePhase(job, v1::JOB_PHASE_ADMISSION);
    return job;
  }
  static v1::Partition CutBefore(const std::vector<int>& layers) {
    v1::Partition partition;
    partition.mutable_cut_points()->Assign(layers.begin(), layers.end());
    partition.set_source("pilot");
    return partition;
  }
  // Of whatever was logged since the last call.
  std::vector<std::string> TakeLines() {
    std::vector<std::string> lines;
    for (const Action& action : std::exchange(actions_, {})) {
      const auto* line = std::get_if<LineForJob>(&action);
      if (line != nullptr) lines.push_back(line->line.text());
    }
    return lines;
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  const CoreOptions options_ = TwoDevices();
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  ShardedLrtf policy_;
  JobQueue queue_{&policy_, &book_};
  BlockTable blocks_{0, kPoolBytes};
  Admission admission_{kPoolBytes, /*workers=*/2, /*lookahead=*/1};
  SharedModels models_;
  Quotas quotas_{AtMostTwoOfAUser()};
  Claims claims_{&options_, &queue_};
  SharedBases bases_{{&queue_, &blocks_, &journal_}};
  Roster roster_{&options_, &book_, &queue_, &journal_, &actions_};
  JobStart start_{{&book_, &queue_, &blocks_, &admission_, &models_, &claims_,
                   &bases_, &roster_, &journal_, &quotas_}};
};

// --- Data ---

TEST_F(JobStartTest, TheFirstJobPreparesForTheOthersOfItsSweep) {
  Job& first = AddSmallJob(1, book_);
  Job& second = AddSmallJob(2, book_);
  EXPECT_EQ(start_.FromPrepare(first, now_).kind, Kind::kWaits);
  EXPECT_EQ(start_.FromPrepare(second, now_).kind, Kind::kWaits);
  EXPECT_TRUE(queue_.Contains(first.id));
  EXPECT_FALSE(queue_.Contains(second.id));
  EXPECT_EQ(second.reason, "waits for j1, which prepares the same data");
}

TEST_F(JobStartTest, WhatAnotherOnePreparedIsTakenOverAndTold) {
  Job& first = AddSmallJob(1, book_);
  SetPrepared(first);
  wv1::PrepareResult result;
  *result.add_splits() = first.splits[0];
  result.add_warnings("the last line is empty");
  claims_.SetPrepared(first, result);
  Job& second = AddSmallJob(2, book_);
  second.submitted.warnings = {"a key is not used"};
  EXPECT_EQ(start_.FromPrepare(second, now_).kind, Kind::kGoesOn);
  EXPECT_EQ(second.splits[0].token_count(), 200);
  EXPECT_THAT(*second.prepare_warnings, ElementsAre("the last line is empty"));
  EXPECT_THAT(TakeLines(),
              ElementsAre("a key is not used", "the last line is empty",
                          "train: 200 tokens, prepared with another job "
                          "of the sweep"));
}

TEST_F(JobStartTest, AJobThatPreparedItsDataGoesOn) {
  Job& job = AddSmallJob(1, book_);
  SetPrepared(job);
  EXPECT_EQ(start_.FromPrepare(job, now_).kind, Kind::kGoesOn);
  EXPECT_THAT(TakeLines(), IsEmpty());
}

TEST_F(JobStartTest, DataThatIsTooShortFailsBeforeAPilot) {
  Job& job = AddSmallJob(1, book_);
  SetPrepared(job);
  job.splits[0].set_token_count(2);
  const JobStart::Outcome outcome = start_.FromPrepare(job, now_);
  EXPECT_EQ(outcome.kind, Kind::kFails);
  EXPECT_THAT(outcome.reason, HasSubstr("the training split has 2 tokens"));
}

TEST_F(JobStartTest, WithOtherDataThanBeforeSomebodyHasToLook) {
  Job& job = AddSmallJob(1, book_);
  SetPrepared(job);
  *job.checkpoints.Fresh().emplace_back().add_splits() =
      TokensOf(job.splits[0]);
  EXPECT_EQ(start_.FromPrepare(job, now_).kind, Kind::kGoesOn);
  job.splits[0].set_token_file("/cache/other.tokens");
  const JobStart::Outcome outcome = start_.FromPrepare(job, now_);
  EXPECT_EQ(outcome.kind, Kind::kHolds);
  EXPECT_THAT(outcome.reason, StartsWith("paused: the data of train"));
  EXPECT_THAT(outcome.reason,
              HasSubstr("resume the job to go on all the same"));
}

// --- Cut points ---

TEST_F(JobStartTest, GivenCutPointsNeedNoPilotAndFitAnyDevice) {
  Job& job = AddSmallJob(1, book_);
  job.submitted.spec.mutable_partition()->add_cut_points(1);
  job.submitted.spec.mutable_partition()->add_cut_points(3);
  EXPECT_EQ(start_.FromPilot(job, now_).kind, Kind::kGoesOn);
  EXPECT_EQ(job.partition->source(), "given");
  EXPECT_EQ(job.partition_limit_bytes, 0);
  EXPECT_EQ(job.shape.shard_count(), 3);
  EXPECT_EQ(job.demand->total_bytes(), DemandOf(job.shape).total_bytes());
}

TEST_F(JobStartTest, OnePilotRunsForAllJobsThatAreCutAlike) {
  Job& first = AddSmallJob(1, book_);
  Job& second = AddSmallJob(2, book_);
  EXPECT_EQ(start_.FromPilot(first, now_).kind, Kind::kWaits);
  EXPECT_EQ(start_.FromPilot(second, now_).kind, Kind::kWaits);
  EXPECT_TRUE(queue_.Contains(first.id));
  EXPECT_FALSE(queue_.Contains(second.id));
  claims_.SetFound(first, options_.devices[0], CutBefore({2}));
  Job& third = AddSmallJob(3, book_);
  for (Job* job : {&second, &third}) {
    EXPECT_EQ(start_.FromPilot(*job, now_).kind, Kind::kGoesOn);
    EXPECT_EQ(job->partition->source(), "reused");
    // Of the smallest device.
    EXPECT_EQ(job->partition_limit_bytes, 1 << 20);
  }
  EXPECT_EQ(second.partition, third.partition) << "they share it";
  // It is not asked for twice.
  queue_.Leave(second.id);
  EXPECT_EQ(start_.FromPilot(second, now_).kind, Kind::kGoesOn);
  EXPECT_FALSE(queue_.Contains(second.id));
}

// What a file of an earlier daemon said need not be a partition of the model,
// which has four layers.
TEST_F(JobStartTest, KnownCutPointsThatCannotBeAreFoundAnew) {
  struct Case {
    std::vector<int> cuts;
    bool fit;
  };
  const std::vector<Case> cases = {
      {{}, true},      {{1}, true},     {{1, 2, 3}, true},
      {{0}, false},    {{4}, false},    {{-1}, false},
      {{2, 1}, false}, {{2, 2}, false}, {{1, 2, 4}, false}};
  for (const Case& each : cases) {
    Job& job = AddSmallJob(1, book_);
    claims_.SetFound(job, options_.devices[0], CutBefore(each.cuts));
    EXPECT_EQ(start_.FromPilot(job, now_).kind,
              each.fit ? Kind::kGoesOn : Kind::kWaits)
        << ::testing::PrintToString(each.cuts);
    EXPECT_EQ(queue_.Contains(job.id), !each.fit);
    queue_.Leave(job.id);
    book_.Erase(job.id);
  }
}

// --- Room ---

TEST_F(JobStartTest, AnAdmittedJobHasItsStateAndAPromise) {
  Job& job = AddCut(1);
  job.reason = "waits";
  EXPECT_EQ(start_.FromAdmission(job, now_).kind, Kind::kGoesOn);
  EXPECT_EQ(job.phase(), v1::JOB_PHASE_INIT);
  EXPECT_EQ(job.reason, "");
  EXPECT_EQ(job.plan.total_steps, 10);
  EXPECT_TRUE(job.in_chain());
  EXPECT_GE(admission_.reserved_bytes(), job.demand->total_bytes());
  // All zero: it takes no slot.
  EXPECT_EQ(blocks_.used_bytes(), 0);
  const int parameters = job.shape.table->parameter_blocks.size();
  ASSERT_THAT(*blocks_.BlocksOf(job.id), SizeIs(parameters));
  for (int i = 0; i < parameters; ++i) {
    EXPECT_FALSE(blocks_.Find(job.id, StateKey(i))->slot.has_value());
  }
  // The job and each of its blocks.
  EXPECT_THAT(journal_.pool_changes(), SizeIs(parameters + 1));
  EXPECT_THAT(TakeLines(),
              ElementsAre(HasSubstr("2 shards, cut before layers [2] (pilot); "
                                    "10 steps")));
}

TEST_F(JobStartTest, AJobGoesOnFromItsNewestCheckpoint) {
  Job& job = AddCut(1);
  for (int64_t step : {4, 6}) {
    journal::v1::CheckpointRecord& saved =
        job.checkpoints.Fresh().emplace_back();
    *saved.mutable_position() = ToRecord(InStep(step));
    saved.mutable_info()->set_path(step == 6 ? "/newest" : "/older");
  }
  EXPECT_EQ(start_.FromAdmission(job, now_).kind, Kind::kGoesOn);
  ASSERT_TRUE(job.plan.resume.has_value());
  EXPECT_EQ(job.plan.resume->step, 6);
  EXPECT_EQ(job.restore_dir, "/newest");
  EXPECT_THAT(TakeLines(), ElementsAre(HasSubstr("; goes on from /newest")));
}

TEST_F(JobStartTest, AJobWaitsForRoomWithTheNumbersAndTheNextBehindIt) {
  Job& first = AddCut(1);
  // Nobody else has room beside it.
  v1::PoolDemand all = *first.demand;
  all.set_total_bytes(kPoolBytes - all.largest_write_bytes());
  admission_.Readmit(JobId(9), all, /*base=*/"");
  EXPECT_EQ(start_.FromAdmission(first, now_).kind, Kind::kWaits);
  EXPECT_EQ(first.state(), v1::JOB_STATE_PENDING);
  EXPECT_THAT(first.reason, HasSubstr("waits for room in the pool"));
  Job& second = AddCut(2);
  admission_.Release(JobId(9));
  EXPECT_EQ(start_.FromAdmission(second, now_).kind, Kind::kWaits);
  EXPECT_EQ(second.reason, "waits behind earlier jobs for room in the pool");
  EXPECT_EQ(start_.FromAdmission(first, now_).kind, Kind::kGoesOn);
  EXPECT_EQ(start_.FromAdmission(second, now_).kind, Kind::kGoesOn);
}

TEST_F(JobStartTest, AJobBeyondItsUsersQuotaWaitsAndKeepsNobodyElseWaiting) {
  for (uint64_t id : {1, 2}) {
    EXPECT_EQ(start_.FromAdmission(AddCut(id), now_).kind, Kind::kGoesOn);
  }
  Job& third = AddCut(3);
  EXPECT_EQ(start_.FromAdmission(third, now_).kind, Kind::kWaits);
  EXPECT_THAT(third.reason, HasSubstr("(quotas: admitted_jobs)"));
  Job& of_another = AddCut(4);
  of_another.owner = Caller{1000};
  EXPECT_EQ(start_.FromAdmission(of_another, now_ + absl::Hours(1)).kind,
            Kind::kGoesOn);
  quotas_.NoteLeft(JobId(1));
  EXPECT_EQ(start_.FromAdmission(third, now_).kind, Kind::kGoesOn);
}

TEST_F(JobStartTest, RoomIsKeptForAnotherUsersJobThatHasWaitedLong) {
  Job& large = AddCut(1);
  v1::PoolDemand most = *large.demand;
  most.set_total_bytes(kPoolBytes - large.demand->total_bytes());
  admission_.Readmit(JobId(9), most, /*base=*/"");
  EXPECT_EQ(start_.FromAdmission(large, now_).kind, Kind::kWaits);
  admission_.Release(JobId(9));
  Job& of_another = AddCut(2);
  of_another.owner = Caller{1000};
  const absl::Time later = now_ + WaitList::kPatience;
  EXPECT_EQ(start_.FromAdmission(of_another, later).kind, Kind::kWaits);
  EXPECT_THAT(of_another.reason, HasSubstr("kept for the job of another user"));
  EXPECT_EQ(start_.FromAdmission(large, later).kind, Kind::kGoesOn);
  EXPECT_EQ(start_.FromAdmission(of_another, later).kind, Kind::kGoesOn);
}

// What a checkpoint that is being written holds is nobody's.
TEST_F(JobStartTest, NoRoomIsPromisedThatACheckpointHolds) {
  Job& job = AddCut(1);
  const BlockKey key = ParametersKey(0);
  const Version old = *blocks_.Make(kPoolBytes / 2);
  blocks_.Commit(JobId(9), key, old);
  blocks_.Pin(JobId(9), old);
  blocks_.Commit(JobId(9), key, *blocks_.Make(kPoolBytes / 4));
  v1::PoolDemand half;
  half.set_total_bytes(kPoolBytes / 2);
  admission_.Readmit(JobId(9), half, /*base=*/"");
  EXPECT_EQ(start_.FromAdmission(job, now_).kind, Kind::kWaits);
  blocks_.Unpin(old);
  EXPECT_EQ(start_.FromAdmission(job, now_).kind, Kind::kGoesOn);
}

// Its boundaries are most of what it needs.
TEST_F(JobStartTest, AJobWhoseBoundariesDoNotFitGoesInRounds) {
  Job& job = AddSmallJob(1, book_);
  SetPrepared(job);
  job.shape.micro_batches = 2000;
  job.submitted.spec.mutable_train()->set_gradient_accumulation_steps(2000);
  job.splits[0].set_token_count(1'000'000);
  start_.SetPartition(job, CutBefore({2}), /*limit_bytes=*/0);
  ASSERT_GT(job.shape.rounds, 1);
  EXPECT_EQ(job.demand->rounds(), job.shape.rounds);
  EXPECT_EQ(PoolJobOf(job).rounds(), job.shape.rounds);
  RestorePhase(job, v1::JOB_PHASE_ADMISSION);
  EXPECT_EQ(start_.FromAdmission(job, now_).kind, Kind::kGoesOn);
  EXPECT_THAT(TakeLines(),
              ElementsAre(HasSubstr(absl::StrCat(" steps in ", job.shape.rounds,
                                                 " rounds of at most "))));
  // What the pool does not hold in any number of rounds it refuses.
  Job& large = AddSmallJob(2, book_);
  SetPrepared(large);
  large.shape.micro_batches = 2;
  large.shape.micro_batch_size = 1'000'000;
  start_.SetPartition(large, CutBefore({2}), /*limit_bytes=*/0);
  EXPECT_FALSE(admission_.CanEverFit(*large.demand).ok());
}

// In one shard it writes all parameters and state at once.
TEST_F(JobStartTest, AJobIsCutFinerThanForTheDeviceWhereThePoolNeedsIt) {
  Job& job = AddSmallJob(1, book_);
  SetPrepared(job);
  const v1::PoolDemand in_three = [&job] {
    JobShape shape = job.shape;
    shape.shards = ShardsOf({1, 2}, 4);
    return DemandOf(shape);
  }();
  Admission small(in_three.total_bytes() + in_three.largest_write_bytes(),
                  /*workers=*/1, /*lookahead=*/1);
  JobStart start({&book_, &queue_, &blocks_, &small, &models_, &claims_,
                  &bases_, &roster_, &journal_, &quotas_});
  v1::Partition whole = CutBefore({});
  whole.mutable_step()->set_seconds(1);
  start.SetFoundPartition(job, whole, /*limit_bytes=*/1 << 20, now_);
  EXPECT_GT(job.partition->cut_points_size(), 0);
  EXPECT_EQ(job.shape.shard_count(), job.partition->cut_points_size() + 1);
  EXPECT_TRUE(small.CanEverFit(*job.demand).ok());
  EXPECT_FALSE(job.partition->has_step());
  EXPECT_THAT(TakeLines(), ElementsAre(StartsWith("cut finer")));
  // Nobody cuts what a user has cut.
  start.SetPartition(job, CutBefore({}), /*limit_bytes=*/0);
  EXPECT_EQ(job.partition->cut_points_size(), 0);
  EXPECT_FALSE(small.CanEverFit(*job.demand).ok());
}

TEST_F(JobStartTest, AJobThatCanNeverFitFails) {
  Job& job = AddCut(1);
  job.demand->set_total_bytes(2 * kPoolBytes);
  const JobStart::Outcome outcome = start_.FromAdmission(job, now_);
  EXPECT_EQ(outcome.kind, Kind::kFails);
  EXPECT_THAT(outcome.reason, HasSubstr("1048576"));
  EXPECT_EQ(admission_.reserved_bytes(), 0);
}

}  // namespace
}  // namespace hydra
