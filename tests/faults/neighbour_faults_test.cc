// Daemons of one user, each with a state directory of its own, that meet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::HasSubstr;

class NeighbourFaultsTest : public FaultTest {
 protected:
  // A small pool at hydrad's default place, or at `path`.
  static Cluster::Options PoolAt(const std::string& path = "") {
    Cluster::Options options = Options();
    options.settings = {"pool.size_bytes=64MiB"};
    if (!path.empty()) options.settings.push_back("pool.path=" + path);
    options.has_own_pool = false;
    return options;
  }
};

TEST_F(NeighbourFaultsTest, F50ADaemonLeavesThePoolOfADeadOneAlone) {
  const std::string pool = FreshDirectory() + "/pool";
  Cluster cluster(PoolAt(pool));
  const std::vector<pid_t> workers = cluster.WorkerPids();
  const std::string job = cluster.Submit(LongSpec());
  cluster.AwaitStep(job, 2);
  cluster.KillDaemon();

  const ProgramResult other =
      RunProgram({"scheduler/hydrad", "--device=cpu:0=64MiB",
                  "--set=state_dir=" + FreshDirectory(),
                  "--set=pool.path=" + pool, "--set=pool.size_bytes=64MiB"});
  EXPECT_EQ(other.code, 3);
  EXPECT_THAT(other.output, HasSubstr(cluster.state_dir()));
  EXPECT_THAT(other.output, HasSubstr("pool.path"));

  const absl::Time start = absl::Now();
  cluster.StartDaemon();
  const absl::Duration recovered = absl::Now() - start;
  EXPECT_EQ(cluster.WorkerPids(), workers);
  EXPECT_EQ(cluster.LogLinesWith("took over the pool"), 1);
  Row("F50", "a second daemon with the pool.path of a killed one",
      "refused with the other's state_dir, which goes on", recovered,
      ExpectExact(cluster.AwaitEnd(job)));
}

TEST_F(NeighbourFaultsTest, F50TwoDaemonsWithTheDefaultPoolHaveOneEach) {
  Cluster first(PoolAt());
  const std::string place = first.Info().pool_path();
  const std::vector<pid_t> workers = first.WorkerPids();
  const std::string job = first.Submit(LongSpec());
  first.AwaitStep(job, 2);
  Cluster second(PoolAt());
  EXPECT_NE(second.Info().pool_path(), place);
  const std::string second_place = second.Info().pool_path();

  first.KillDaemon();
  second.KillDaemon();
  second.StartDaemon();
  EXPECT_EQ(second.Info().pool_path(), second_place);
  EXPECT_EQ(second.LogLinesWith("took over the pool"), 1);
  first.StartDaemon();
  EXPECT_EQ(first.Info().pool_path(), place);
  EXPECT_EQ(first.WorkerPids(), workers);
  Row("F50", "two daemons without pool.path, both killed",
      "each has a pool of its own and goes on in it", std::nullopt,
      ExpectExact(first.AwaitEnd(job)));
}

}  // namespace
}  // namespace hydra
