#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/status/proto_time.h"
#include "scheduler/core/account_of.h"
#include "scheduler/core/job.h"
#include "scheduler/core/room_reclaimer.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/policy/share_ledger.h"
#include "scheduler/policy/share_order.h"
#include "scheduler/sim/rough_world.h"
#include "scheduler/sim/world.h"

// Users who share a simulated machine.
namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Caller kAnn{1000};
const Caller kBob{1001};

// They never end.
constexpr int64_t kForEver = 1'000'000'000'000;

NewJob JobOf(int64_t steps) {
  NewJob job = SmallJob(steps);
  job.spec.mutable_train()->set_micro_batches_per_round(2);
  return job;
}

std::vector<NewJob> JobsOf(int jobs, int64_t steps) {
  return std::vector<NewJob>(jobs, JobOf(steps));
}

// Of its committed tasks.
absl::Duration DeviceTime(World& world, uint64_t job) {
  return FromProto(JobIn(world, job).totals.device());
}

absl::Duration TimeInServer(World& world, uint64_t job) {
  return JobIn(world, job).ended_at - JobIn(world, job).submitted_at;
}

bool AllTrain(World& world, uint64_t first, uint64_t last) {
  for (uint64_t job = first; job <= last; ++job) {
    if (JobIn(world, job).phase() != v1::JOB_PHASE_TRAIN) return false;
  }
  return true;
}

void RunFor(World& world, absl::Duration time) {
  const absl::Time end = world.now() + time;
  world.RunUntil([&] { return world.now() >= end; });
}

// On that many devices, if nobody else is there.
absl::Duration TimeAlone(int workers, int64_t steps, absl::Duration task) {
  World::Options options;
  options.workers = workers;
  World world(options);
  world.setup().task_time[1] = task;
  world.Submit(JobsOf(1, steps), kBob);
  world.RunUntilJobsEnd();
  return TimeInServer(world, 1);
}

// They take all devices, of which one is as much as the small job can use.
TEST(WorldSharesTest, JobsWithoutAnEndDoNotStarveAnotherUsersSmallJob) {
  constexpr absl::Duration kTask = absl::Milliseconds(20);
  for (int workers : {2, 3}) {
    World::Options options;
    options.workers = workers;
    World world(options);
    for (uint64_t job : {1, 2, 3, 4}) world.setup().task_time[job] = kTask;
    world.Submit(JobsOf(3, kForEver), kAnn);
    world.RunUntil([&] { return AllTrain(world, 1, 3); });
    world.Submit(JobsOf(1, 20), kBob);
    world.RunUntil([&] { return JobIn(world, 4).ended(); });
    EXPECT_EQ(JobIn(world, 4).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_LT(TimeInServer(world, 4),
              TimeAlone(workers, 20, kTask) + absl::Seconds(2))
        << workers;
  }
}

// He may have half of the devices, which is one, and that is all that his job
// can use.
TEST(WorldSharesTest, OneJobGoesOnBesideAThousandOfAnother) {
  constexpr absl::Duration kTask = absl::Milliseconds(50);
  World::Options options;
  options.workers = 2;
  options.pool_bytes = int64_t{512} << 20;
  World world(options);
  world.setup().task_time[1001] = kTask;
  world.Submit(JobsOf(1000, 50), kAnn);
  world.RunUntil([&] { return JobIn(world, 1).phase() == v1::JOB_PHASE_INIT; });
  world.Submit(JobsOf(1, 5), kBob);
  world.RunUntil([&] { return JobIn(world, 1001).ended(); });
  EXPECT_LT(TimeInServer(world, 1001),
            2 * TimeAlone(2, 5, kTask) + absl::Seconds(3));
}

TEST(WorldSharesTest, DeviceTimeGoesByWeights) {
  World::Options options;
  options.workers = 1;
  options.shares.weights[AccountOf(kBob)] = 3;
  World world(options);
  for (uint64_t job : {1, 2, 3, 4}) {
    world.setup().task_time[job] = absl::Seconds(1);
  }
  world.Submit(JobsOf(2, kForEver), kAnn);
  world.Submit(JobsOf(2, kForEver), kBob);
  world.RunUntil([&] { return AllTrain(world, 1, 4); });
  RunFor(world, absl::Minutes(2));
  const auto of_ann = [&] {
    return DeviceTime(world, 1) + DeviceTime(world, 2);
  };
  const auto of_bob = [&] {
    return DeviceTime(world, 3) + DeviceTime(world, 4);
  };
  const absl::Duration ann = of_ann();
  const absl::Duration bob = of_bob();
  RunFor(world, absl::Hours(1));
  const absl::Duration more_of_ann = of_ann() - ann;
  const absl::Duration more_of_bob = of_bob() - bob;
  EXPECT_NEAR(absl::FDivDuration(more_of_bob, more_of_ann), 3, 0.06);
  EXPECT_GT(more_of_ann + more_of_bob, 0.95 * absl::Hours(1));
}

// They fill the pool, and never end.
TEST(WorldSharesTest, RoomIsTakenBackFromWhoHasMoreThanHisPartOfIt) {
  World::Options options;
  options.workers = 1;
  options.pool_bytes = int64_t{600} << 10;
  options.reclaim_room = true;
  World world(options);
  for (uint64_t job = 1; job <= 7; ++job) {
    world.setup().task_time[job] = absl::Seconds(1);
  }
  world.Submit(JobsOf(6, kForEver), kAnn);
  world.RunUntil([&] { return AllTrain(world, 1, 1); });
  ASSERT_EQ(JobIn(world, 6).phase(), v1::JOB_PHASE_ADMISSION);
  std::vector<uint64_t> admitted;
  for (uint64_t job = 1; job <= 6; ++job) {
    if (JobIn(world, job).in_chain()) admitted.push_back(job);
  }
  world.Submit(JobsOf(1, 3), kBob);
  world.RunUntil([&] { return JobIn(world, 7).ended(); });
  EXPECT_EQ(JobIn(world, 7).state(), v1::JOB_STATE_COMPLETED);
  // No job gives its room before it has had it for a while.
  EXPECT_GT(world.now() - absl::UnixEpoch(), RoomReclaimer::kTenure);
  // The one that gave it comes in again, by itself, and goes on. They seldom
  // train all at once: each evaluates after every second step.
  const auto goes_on = [&](uint64_t job) {
    return JobIn(world, job).in_chain() &&
           JobIn(world, job).phase() != v1::JOB_PHASE_INIT;
  };
  ASSERT_FALSE(std::all_of(admitted.begin(), admitted.end(), goes_on));
  world.RunUntil(
      [&] { return std::all_of(admitted.begin(), admitted.end(), goes_on); });
  EXPECT_LT(TimeInServer(world, 7), absl::Hours(1));
}

// --- Priorities ---

TEST(WorldSharesTest, AnEndlessStreamOfHighPriorityDoesNotStarveALowOne) {
  constexpr int kPriority = 10;
  World::Options options;
  options.workers = 1;
  World world(options);
  for (uint64_t job : {1, 2, 3}) {
    world.setup().task_time[job] = absl::Seconds(1);
  }
  std::vector<NewJob> jobs = JobsOf(3, kForEver);
  jobs[0] = JobOf(2);
  for (size_t i : {1, 2}) jobs[i].spec.set_priority(kPriority);
  world.Submit(std::move(jobs), kAnn);
  absl::Duration longest;
  absl::Duration device;
  absl::Time since = world.now();
  world.RunUntil([&] {
    if (const absl::Duration now = DeviceTime(world, 1); now != device) {
      device = now;
      longest = std::max(longest, world.now() - since);
      since = world.now();
    }
    return JobIn(world, 1).ended();
  });
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
  // And the tasks that the device holds already.
  EXPECT_LE(longest, kPriority * ShareOrder::kAgeing + absl::Seconds(6));
  EXPECT_GT(longest, 0.9 * kPriority * ShareOrder::kAgeing)
      << "it is behind all the same";
}

TEST(WorldSharesTest, APriorityActsAtOnceAndSurvivesARestart) {
  World::Options options;
  options.workers = 1;
  World world(options);
  for (uint64_t job : {1, 2}) world.setup().task_time[job] = absl::Seconds(1);
  world.Submit(JobsOf(2, kForEver), kAnn);
  world.RunUntil([&] { return AllTrain(world, 1, 2); });
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.SetPriority({JobId(2), JobId(9)}, 5, world.now()),
                ElementsAre(JobId(2)));
    EXPECT_THAT(core.SetPriority({JobId(2)}, 5, world.now()), IsEmpty());
  });
  const absl::Duration first = DeviceTime(world, 1);
  const absl::Duration second = DeviceTime(world, 2);
  RunFor(world, absl::Seconds(30));
  // What the device held already.
  EXPECT_LE(DeviceTime(world, 1) - first, absl::Seconds(3));
  EXPECT_GE(DeviceTime(world, 2) - second, absl::Seconds(25));
  world.CrashDaemon();
  world.RunUntil([] { return true; });
  EXPECT_EQ(StatusOf(JobIn(world, 2)).priority(), 5);
  EXPECT_EQ(StatusOf(JobIn(world, 1)).priority(), 0);
}

// --- One user, and whatever breaks ---

TEST(WorldSharesTest, OneUsersJobsRunAsIfTheyWereNobodys) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    World nobodys(RoughWorld(seed));
    World anns(RoughWorld(seed));
    nobodys.Submit(JobsOf(4, 3));
    anns.Submit(JobsOf(4, 3), kAnn);
    for (World* world : {&nobodys, &anns}) world->RunUntilJobsEnd();
    EXPECT_EQ(nobodys.now(), anns.now());
    EXPECT_EQ(nobodys.events(), anns.events());
  }
}

TEST(WorldSharesTest, NothingOfTwoUsersIsLostWhateverBreaks) {
  World undisturbed({});
  undisturbed.Submit(JobsOf(1, 3));
  undisturbed.RunUntilJobsEnd();
  const uint64_t trained = undisturbed.trained().at(3);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    if (seed % 2 == 0) options.power_cut = 0.002;
    World world(options);
    world.Submit(JobsOf(1 + seed % 3, 3), kAnn);
    world.Submit(JobsOf(1 + seed % 2, 3), kBob);
    world.RunUntilJobsEnd();
    for (const auto& [id, job] : world.core().jobs().all()) {
      EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED)
          << JobName(id) << " " << job.reason;
    }
    EXPECT_EQ(world.trained().at(3), trained);
  }
}

// Jobs come in and out of the pool for each other while their users pause,
// resume and cancel them, and all that can break does.
TEST(WorldSharesTest, NobodyWaitsForEverWhereRoomIsTakenBack) {
  bool taken_back = false;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.pool_bytes = int64_t{600} << 10;
    options.reclaim_room = true;
    options.meddling = 0.002;
    // A job has its room for some time after each start.
    options.daemon_crash = 0.0002;
    World world(options);
    for (uint64_t job = 1; job <= 8; ++job) {
      world.setup().task_time[job] = absl::Seconds(5);
    }
    world.Submit(JobsOf(5, 20), kAnn);
    world.Submit(JobsOf(3, 20), kBob);
    world.RunUntil([&] {
      bool all_ended = true;
      for (const auto& [id, job] : world.core().jobs().all()) {
        all_ended = all_ended && job.ended();
        taken_back = taken_back || job.yields;
      }
      return all_ended;
    });
    for (const auto& [id, job] : world.core().jobs().all()) {
      EXPECT_NE(job.state(), v1::JOB_STATE_FAILED)
          << JobName(id) << " " << job.reason;
    }
  }
  EXPECT_TRUE(taken_back);
}

absl::Duration UsedBy(World& world, const Caller& user) {
  for (const ShareLedger::Use& use : world.core().shares().Uses()) {
    if (use.account == AccountOf(user)) return use.used;
  }
  return absl::ZeroDuration();
}

TEST(WorldSharesTest, OtherWeightsCountFromThenOn) {
  World::Options options;
  options.workers = 1;
  World world(options);
  for (uint64_t job : {1, 2}) world.setup().task_time[job] = absl::Seconds(1);
  world.Submit(JobsOf(1, kForEver), kAnn);
  world.Submit(JobsOf(1, kForEver), kBob);
  world.RunUntil([&] { return AllTrain(world, 1, 2); });
  ShareOptions shares;
  shares.weights[AccountOf(kBob)] = 3;
  world.InCore([&](Core& core) { core.SetUserLimits(shares, {}); });
  // What they used alike is made up for.
  RunFor(world, absl::Minutes(5));
  const absl::Duration of_ann = DeviceTime(world, 1);
  const absl::Duration of_bob = DeviceTime(world, 2);
  RunFor(world, absl::Minutes(10));
  EXPECT_NEAR(absl::FDivDuration(DeviceTime(world, 2) - of_bob,
                                 DeviceTime(world, 1) - of_ann),
              3, 0.5);
}

TEST(WorldSharesTest, WhatUsersHaveUsedSurvivesARestart) {
  World::Options options;
  options.workers = 1;
  options.shares.weights[AccountOf(kBob)] = 3;
  World world(options);
  for (uint64_t job : {1, 2}) world.setup().task_time[job] = absl::Seconds(1);
  world.Submit(JobsOf(1, kForEver), kAnn);
  world.Submit(JobsOf(1, kForEver), kBob);
  world.RunUntil([&] { return AllTrain(world, 1, 2); });
  RunFor(world, absl::Minutes(5));
  const absl::Duration ann = UsedBy(world, kAnn);
  const absl::Duration bob = UsedBy(world, kBob);
  EXPECT_GT(bob, absl::Minutes(3));
  world.CrashDaemon();
  world.RunUntil([] { return true; });
  // But for what was used since it was recorded last.
  const double lost =
      absl::ToDoubleSeconds(ann + bob) -
      absl::ToDoubleSeconds(UsedBy(world, kAnn) + UsedBy(world, kBob));
  EXPECT_LE(lost, 13);
  EXPECT_GE(lost, -1);
  // They go on as before.
  const absl::Duration of_ann = DeviceTime(world, 1);
  const absl::Duration of_bob = DeviceTime(world, 2);
  RunFor(world, absl::Minutes(10));
  EXPECT_NEAR(absl::FDivDuration(DeviceTime(world, 2) - of_bob,
                                 DeviceTime(world, 1) - of_ann),
              3, 0.5);
}

}  // namespace
}  // namespace hydra
