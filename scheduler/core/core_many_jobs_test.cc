#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "scheduler/core/core.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One after the other, each end looked at all others that wait.
TEST(CoreManyJobsTest, CancellingManyOfVeryManyTakesTimeForThoseAlone) {
  World::Options options;
  options.workers = 1;
  World world(options);
  constexpr int kJobs = 20'000;
  world.Submit(kJobs, /*steps=*/1);
  world.RunUntil([&] { return JobIn(world, kJobs).reason.size() > 0; });
  const std::vector<JobId> all = world.core().jobs().JobsOf(SweepId(1));
  const std::vector<JobId> first(all.begin(), all.begin() + kJobs / 2);
  const absl::Time start = absl::Now();
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Cancel(first, /*delete_checkpoints=*/false, world.now()),
                SizeIs(kJobs / 2));
  });
  // 100 microseconds a job; it was milliseconds.
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  world.RunUntil([&] { return Training(JobIn(world, kJobs / 2 + 1)); });
}

TEST(CoreManyJobsTest,
     AnEventSeesToSomeOfManyJobsAndLeavesTheOthersToLaterTurns) {
  Core::Options options;
  options.pool_bytes = int64_t{64} << 20;
  options.devices.push_back({"cpu:0", 1 << 20, 1});
  options.advances_in_one_go = 3;
  ShardedLrtf policy;
  Journal journal;
  Core core(options, &policy, &journal);
  const auto submission =
      core.Submit(std::vector<NewJob>(5, SmallJob(1)), {}, absl::Now());
  core.Recorded(submission->sequence);
  core.EndTurn(absl::Now());
  EXPECT_FALSE(core.jobs().Find(JobId(3))->reason.empty());
  EXPECT_TRUE(core.jobs().Find(JobId(4))->reason.empty());
  EXPECT_TRUE(core.has_more_work());
  core.EndTurn(absl::Now());
  EXPECT_FALSE(core.jobs().Find(JobId(5))->reason.empty());
  EXPECT_FALSE(core.has_more_work());
}

// A core alone, without workers, whose turns the test ends.
class ManyJobsTest : public ::testing::Test {
 protected:
  static constexpr int kJobs = 1200;

  ManyJobsTest() : core_(OneDevice(), &policy_, &journal_) {}

  static Core::Options OneDevice() {
    Core::Options options;
    options.pool_bytes = int64_t{64} << 20;
    options.devices.push_back({"cpu:0", 1 << 20, 1});
    options.kept_ended_jobs = 0;
    return options;
  }
  uint64_t Submit() {
    std::vector<NewJob> jobs(kJobs, SmallJob(1));
    for (int i = 0; i < kJobs; ++i) {
      jobs[i].spec.set_name(absl::StrCat("job-", i));
      Prepare(jobs[i]);
    }
    return core_.Submit(std::move(jobs), {"once", ""}, now_)->sequence;
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  ShardedLrtf policy_;
  Journal journal_;
  Core core_;
};

TEST_F(ManyJobsTest, AreMadeInSeveralTurnsAndComeInTogether) {
  const uint64_t sequence = Submit();
  int turns = 0;
  for (; core_.has_more_work(); ++turns) {
    core_.EndTurn(now_);
    EXPECT_THAT(core_.jobs().Sweeps(), IsEmpty());
  }
  EXPECT_GT(turns, 1);
  core_.Recorded(sequence);
  EXPECT_THAT(core_.jobs().JobsOf(SweepId(1)), SizeIs(kJobs));
  EXPECT_EQ(core_.jobs().Find(JobId(kJobs))->submitted.spec.name(),
            absl::StrCat("job-", kJobs - 1));
  EXPECT_EQ(core_.jobs().Find(JobId(kJobs))->submitted_at, now_);
}

TEST_F(ManyJobsTest, AreRecordedWithTheirSweepAndTime) {
  Submit();
  journal_.pool_changes();
  const std::vector<Journal::Entry> entries = journal_.TakeEntries();
  ASSERT_THAT(entries, SizeIs(1));
  // The sweep's record is the first.
  ASSERT_THAT(entries[0].changes, SizeIs(kJobs + 1));
  journal::v1::SubmittedJob record;
  ASSERT_TRUE(record.ParseFromString(entries[0].changes[7].value()));
  EXPECT_EQ(record.sweep_id(), 1);
  EXPECT_EQ(record.submitted_at().seconds(), 1000);
  EXPECT_EQ(record.spec().name(), "job-6");
  EXPECT_FALSE(record.model_config_json().empty());
}

TEST_F(ManyJobsTest, ThatHaveEndedAreForgottenInSeveralTurns) {
  core_.Recorded(Submit());
  core_.Cancel(core_.jobs().JobsOf(SweepId(1)), /*delete_checkpoints=*/false,
               now_);
  core_.Tick(now_);
  // jobs.db does not have their ends yet.
  EXPECT_THAT(core_.jobs().Sweeps(), SizeIs(1));
  (void)journal_.pool_changes();
  core_.Recorded(journal_.next_sequence() - 1);
  core_.Tick(now_);
  EXPECT_THAT(core_.jobs().Sweeps(), IsEmpty());
  core_.EndTurn(now_);
  EXPECT_NE(core_.jobs().Find(JobId(1)), nullptr);
  while (core_.has_more_work()) core_.EndTurn(now_);
  for (int id = 1; id <= kJobs; ++id) {
    EXPECT_EQ(core_.jobs().Find(JobId(id)), nullptr) << id;
  }
}

// It was all of the queue in one turn.
TEST_F(ManyJobsTest, InTheQueueSayWhatTheyWaitForInSeveralTurns) {
  for (int i = 0; i < kJobs; ++i) {
    // Other data each: none waits for another one's.
    NewJob job = SmallJob(1);
    job.spec.mutable_data()->add_train_files(absl::StrCat("/data/", i));
    core_.Recorded(core_.Submit({job}, {}, now_)->sequence);
  }
  while (core_.has_more_work()) core_.EndTurn(now_);
  core_.Tick(now_ + absl::Seconds(6));
  core_.EndTurn(now_ + absl::Seconds(6));
  const auto says = [&](int job) {
    return absl::StrContains(core_.jobs().Find(JobId(job))->reason,
                             "none of 1");
  };
  EXPECT_TRUE(says(1));
  EXPECT_FALSE(says(kJobs));
  while (core_.has_more_work()) core_.EndTurn(now_ + absl::Seconds(6));
  EXPECT_TRUE(says(kJobs));
}

TEST(CoreManyJobsTest, JobsThatAreSeenToOneByOneAllEnd) {
  World::Options options;
  options.advances_in_one_go = 1;
  options.daemon_crash = 0.01;
  World world(options);
  world.Submit(/*jobs=*/10, /*steps=*/2);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 10).state(), v1::JOB_STATE_COMPLETED);
}

}  // namespace
}  // namespace hydra
