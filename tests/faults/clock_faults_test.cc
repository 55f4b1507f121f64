// The wall clock jumps.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

class ClockFaultsTest : public FaultTest {
 protected:
  // How much later than it is the time of the daemon's newest log line is, in
  // seconds. It begins like "I20260131 23:59:59.".
  static int64_t LoggedClock(const Cluster& cluster) {
    const std::string log = ReadFile(cluster.log_path());
    const size_t line = log.rfind("\nI") + 1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    EXPECT_EQ(std::sscanf(log.c_str() + line + sizeof("I20260131"), "%d:%d:%d",
                          &hour, &minute, &second),
              3);
    const absl::CivilSecond now =
        absl::ToCivilSecond(absl::Now(), absl::LocalTimeZone());
    constexpr int64_t kDay = 24 * 3600;
    const int64_t later = (hour - now.hour()) * 3600 +
                          (minute - now.minute()) * 60 + second - now.second();
    // The nearest one that may be meant.
    return (later + kDay + kDay / 2) % kDay - kDay / 2;
  }

  void ExpectAJumpIsHarmless(int64_t seconds) {
    const std::string jump = FreshDirectory() + "/jump";
    Cluster::Options options = Options();
    options.environment = {
        "LD_PRELOAD=" + fs::absolute("tests/faults/libclock_jump.so").string(),
        "CLOCK_JUMP_FILE=" + jump};
    Cluster cluster(options);
    v1::JobSpec job_spec = spec();
    job_spec.mutable_checkpoint()->set_every_steps(4);
    const std::string job = Submit(cluster, job_spec);
    AwaitStep(cluster, job, 2);
    WriteFile(jump, absl::StrCat(seconds));
    const absl::Time start = absl::Now();
    const int64_t step = cluster.Job(job).status().step();
    AwaitStep(cluster, job, step + 1);
    const absl::Duration went_on = absl::Now() - start;
    const v1::JobDetail done = cluster.AwaitEnd(job);
    EXPECT_EQ(Restarts(cluster), 0);
    // The wall clock did jump, in the daemon too.
    EXPECT_NEAR(LoggedClock(cluster), seconds, 100);
    Row("F21", absl::StrCat("the wall clock jumps by ", seconds, " s"),
        "no lease ends, training goes on", went_on, ExpectExact(done));
  }
};

TEST_F(ClockFaultsTest, F21AnHourForward) { ExpectAJumpIsHarmless(3600); }

TEST_F(ClockFaultsTest, F21AnHourBack) { ExpectAJumpIsHarmless(-3600); }

}  // namespace
}  // namespace hydra
