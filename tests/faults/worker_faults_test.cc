// Workers that die, hang, or always die of the same job.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Longer than any task of the neighbour takes, on a busy machine too.
constexpr char kTimeout[] = "task_timeout_seconds=5";

class WorkerFaultsTest : public FaultTest {
 protected:
  // One worker is killed at the place's pass number `pass`, once.
  void ExpectADeathIsHarmless(const std::string& id, const std::string& place,
                              int pass) {
    const std::string marker = Marker();
    Cluster cluster(Options(absl::StrCat(place, "=kill@", pass, ":", marker)));
    const std::string job = cluster.Submit(spec());
    cluster.Await([&] { return cluster.Restarts() >= 1; });
    const absl::Duration seen = Since(marker);
    cluster.WorkerPids();
    const absl::Duration restarted = Since(marker);
    const v1::JobDetail done = cluster.AwaitEnd(job);
    EXPECT_EQ(cluster.Restarts(), 1);
    Row(id, absl::StrCat("SIGKILL at ", place),
        absl::StrCat("death after ", absl::ToInt64Milliseconds(seen), " ms, ",
                     done.totals().retried_tasks(), " task ran again"),
        restarted, ExpectExact(done));
  }

  // A job that can never end beside one that must not notice: the reason that
  // the first one failed with.
  std::string ExpectPoison(const std::string& id, const std::string& fail_point,
                           const std::vector<std::string>& settings) {
    Cluster::Options options = Options(fail_point);
    options.settings.insert(options.settings.end(), settings.begin(),
                            settings.end());
    Cluster cluster(options);
    const std::vector<std::string> jobs = SubmitEqualJobs(cluster, spec(), 2);
    EXPECT_EQ(jobs.front(), "j1");
    v1::JobDetail poison;
    const absl::Duration took = Time(cluster, [&] {
      poison = cluster.Job(jobs[0]);
      return poison.status().phase() == v1::JOB_PHASE_ENDED;
    });
    EXPECT_EQ(poison.status().state(), v1::JOB_STATE_FAILED);
    EXPECT_EQ(cluster.Restarts(), 3);
    const v1::JobDetail other = cluster.AwaitEnd(jobs[1]);
    Row(id, fail_point + " in every process", poison.status().reason(), took,
        ExpectExact(other));
    return poison.status().reason();
  }
};

TEST_F(WorkerFaultsTest, F01AKillInAForward) {
  ExpectADeathIsHarmless("F01", "worker.forward", 40);
}

TEST_F(WorkerFaultsTest, F02AKillBetweenParametersAndMomentsOfAnUpdate) {
  ExpectADeathIsHarmless("F02", "worker.update", 7);
}

TEST_F(WorkerFaultsTest, F02AKillBeforeTheReport) {
  ExpectADeathIsHarmless("F02", "worker.before_report", 30);
}

TEST_F(WorkerFaultsTest, F08ATaskThatHangsOnceRunsAgain) {
  const std::string marker = Marker();
  Cluster::Options options =
      Options(absl::StrCat("worker.forward=hang@40:", marker));
  options.settings.push_back(kTimeout);
  Cluster cluster(options);
  const std::string job = cluster.Submit(spec());
  cluster.Await([&] { return cluster.Restarts() >= 1; });
  const absl::Duration killed = Since(marker);
  const v1::JobDetail done = cluster.AwaitEnd(job);
  EXPECT_THAT(LogOf(cluster, job), HasSubstr("its worker is killed"));
  Row("F08", absl::StrCat("a hang in a forward, ", kTimeout),
      "the watchdog killed the worker alone", killed, ExpectExact(done));
}

TEST_F(WorkerFaultsTest, F08ATaskThatAlwaysHangsIsPoison) {
  EXPECT_THAT(ExpectPoison("F08", "worker.forward/1=hang@1+", {kTimeout}),
              AllOf(HasSubstr("POISON"), HasSubstr("3 times in a row"),
                    HasSubstr("layers [0, 1)")));
}

TEST_F(WorkerFaultsTest, F09AJobThatAlwaysKillsItsWorkerIsPoison) {
  EXPECT_THAT(ExpectPoison("F09", "worker.forward/1=abort@1+", {}),
              AllOf(HasSubstr("POISON"), HasSubstr("3 times in a row"),
                    HasSubstr("layers [0, 1)"), HasSubstr("signal 6")));
}

}  // namespace
}  // namespace hydra
