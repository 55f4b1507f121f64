#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "scheduler/core/job.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/sim/world.h"

// Operators who drain devices of a simulated machine.
namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kForEver = 1'000'000'000'000;
constexpr char kReason[] = "driver update";

v1::WorkerStatus WorkerIn(World& world, int worker) {
  return world.core().Workers(world.now())[worker];
}

bool IsIdle(World& world, int worker) {
  const v1::WorkerStatus status = WorkerIn(world, worker);
  return status.task().empty() && status.held_tasks() == 0;
}

void RunFor(World& world, absl::Duration time) {
  const absl::Time end = world.now() + time;
  world.RunUntil([&] { return world.now() >= end; });
}

void Drain(World& world, int worker, const std::optional<std::string>& reason) {
  const std::string device = WorkerIn(world, worker).device();
  world.InCore([&](Core& core) {
    EXPECT_TRUE(core.DrainDevices({device}, reason).ok());
  });
}

void SetMaintenance(World& world, const std::optional<std::string>& reason) {
  world.InCore([&](Core& core) { EXPECT_TRUE(core.SetMaintenance(reason)); });
}

TEST(WorldDrainTest, ADrainedDeviceGetsNothingAcrossARestart) {
  World world(World::Options{});
  for (uint64_t job : {1, 2, 3}) {
    world.setup().task_time[job] = absl::Milliseconds(200);
  }
  world.Submit(3, kForEver);
  world.RunUntil([&] { return !IsIdle(world, 0) && !IsIdle(world, 1); });
  Drain(world, 1, kReason);
  world.RunUntil([&] { return IsIdle(world, 1); });
  const int64_t before = WorkerIn(world, 1).finished_tasks();
  const int64_t others = WorkerIn(world, 0).finished_tasks();
  RunFor(world, absl::Seconds(20));
  EXPECT_EQ(WorkerIn(world, 1).finished_tasks(), before);
  EXPECT_GT(WorkerIn(world, 0).finished_tasks(), others + 50);
  world.CrashDaemon();
  world.RunUntil([] { return true; });
  EXPECT_TRUE(WorkerIn(world, 1).draining());
  EXPECT_EQ(WorkerIn(world, 1).drain_reason(), kReason);
  EXPECT_FALSE(WorkerIn(world, 0).draining());
  RunFor(world, absl::Seconds(20));
  EXPECT_EQ(WorkerIn(world, 1).finished_tasks(), 0);
  Drain(world, 1, std::nullopt);
  world.RunUntil([&] { return WorkerIn(world, 1).finished_tasks() > 10; });
}

TEST(WorldDrainTest, InMaintenanceNothingBeginsAndNothingIsLost) {
  World world(World::Options{});
  world.Submit(3, 40);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  SetMaintenance(world, kReason);
  world.RunUntil([&] { return IsIdle(world, 0) && IsIdle(world, 1); });
  // Submissions are taken all the same.
  world.Submit(1, 40);
  // Until those that ran are said to wait.
  RunFor(world, absl::Seconds(20));
  for (uint64_t id : {1, 2, 3, 4}) {
    if (JobIn(world, id).ended()) continue;
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_PENDING) << id;
  }
  EXPECT_EQ(JobIn(world, 4).reason,
            "waits for the end of the server's maintenance: driver update");
  EXPECT_TRUE(IsIdle(world, 0) && IsIdle(world, 1));
  world.CrashDaemon();
  world.RunUntil([] { return true; });
  EXPECT_EQ(world.core().maintenance(), std::optional<std::string>(kReason));
  RunFor(world, absl::Seconds(20));
  EXPECT_TRUE(IsIdle(world, 0) && IsIdle(world, 1));
  SetMaintenance(world, std::nullopt);
  world.RunUntilJobsEnd();
}

// Whatever breaks meanwhile.
TEST(WorldDrainTest, DevicesComeAndGoInARoughWorld) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    World::Options options;
    options.seed = seed;
    options.crash = 0.02;
    options.stream_break = 0.02;
    options.daemon_crash = 0.005;
    World world(options);
    world.Submit(6, 30);
    int turn = 0;
    while (!world.AllJobsEnded()) {
      RunFor(world, absl::Milliseconds(300));
      const int step = turn % 4;
      const int worker = turn++ / 4 % 2;
      const std::optional<std::string> reason =
          step % 2 == 0 ? std::optional<std::string>(kReason) : std::nullopt;
      if (step < 2) {
        Drain(world, worker, reason);
      } else {
        world.InCore([&](Core& core) { core.SetMaintenance(reason); });
      }
      world.RunUntil([] { return true; });
    }
  }
}

}  // namespace
}  // namespace hydra
