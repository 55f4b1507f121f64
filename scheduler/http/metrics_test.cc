#include "scheduler/http/metrics.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MetricsNumbers Numbers() {
  DaemonMeter meter;
  TaskTrace task;
  task.worker = WorkerId(2);
  task.kind = worker::v1::TASK_KIND_BACKWARD;
  task.outcome = v1::TASK_OUTCOME_COMMITTED;
  task.begun_at = absl::FromUnixSeconds(100);
  task.ended_at = task.begun_at + absl::Milliseconds(2500);
  task.copy = absl::Milliseconds(500);
  task.promoted_bytes = 4096;
  task.demoted_bytes = 512;
  meter.Add(task, Caller{1000});
  meter.AddTurn(absl::Milliseconds(3));

  std::vector<v1::WorkerStatus> workers(2);
  workers[0].set_device("cpu:0");
  workers[0].set_state(v1::WORKER_STATE_RESTARTING);
  workers[0].set_restarts(4);
  workers[1].set_device("cpu:1");
  workers[1].set_state(v1::WORKER_STATE_READY);
  workers[1].set_computing(0.75);
  workers[1].mutable_gpu()->set_power_watts(70.5);

  MetricsNumbers numbers{
      {},
      std::make_shared<std::vector<v1::WorkerStatus>>(std::move(workers)),
      {},
      meter.numbers(),
      {}};
  numbers.server.set_version("1.2.3");
  numbers.server.set_pool_bytes(1 << 30);
  numbers.server.set_pool_used_bytes(7);
  *numbers.server.mutable_started_at() =
      ToProto(absl::FromUnixMillis(1'700'000'000'250));
  numbers.jobs_journal_writes = false;
  JobMeter::Seen job;
  job.owner = Caller{1000};
  job.state = v1::JOB_STATE_PENDING;
  numbers.jobs.Come(job);
  job.owner = Caller();
  job.state = v1::JOB_STATE_RUNNING;
  numbers.jobs.Come(job);
  return numbers;
}

TEST(WriteMetricsTest, TellsWhatIsKnown) {
  const std::string text = WriteMetrics(Numbers());
  for (const char* line : {
           "hydra_build_info{version=\"1.2.3\"} 1\n",
           "hydra_pool_bytes{kind=\"size\"} 1073741824\n",
           "hydra_pool_bytes{kind=\"used\"} 7\n",
           "hydra_pool_bytes{kind=\"reserved\"} 0\n",
           "hydra_journal_writes{journal=\"jobs\"} 0\n",
           "hydra_journal_writes{journal=\"pool\"} 1\n",
           "hydra_decision_seconds_bucket{le=\"0.0025\"} 0\n",
           "hydra_decision_seconds_bucket{le=\"0.005\"} 1\n",
           "hydra_decision_seconds_count 1\n",
           "hydra_jobs{user=\"1000\",state=\"pending\"} 1\n",
           "hydra_jobs{user=\"unknown\",state=\"running\"} 1\n",
           "hydra_device_seconds_total{user=\"1000\",device=\"cpu:1\"} 2.5\n",
           "hydra_copy_wait_seconds_total{device=\"cpu:1\"} 0.5\n",
           "hydra_link_bytes_total{device=\"cpu:1\",direction=\"to_device\"} "
           "4096\n",
           "hydra_link_bytes_total{device=\"cpu:1\",direction=\"to_host\"} "
           "512\n",
           "hydra_tasks_total{device=\"cpu:1\",outcome=\"committed\"} 1\n",
           "hydra_worker_up{device=\"cpu:0\"} 0\n",
           "hydra_worker_up{device=\"cpu:1\"} 1\n",
           "hydra_worker_restarts_total{device=\"cpu:0\"} 4\n",
           "hydra_lane_ratio{device=\"cpu:1\",lane=\"compute\"} 0.75\n",
           "hydra_gpu_power_watts{device=\"cpu:1\"} 70.5\n",
           "process_start_time_seconds 1700000000.25\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("hydra_lane_ratio{device=\"cpu:0\"")))
      << "what is not known is left out";
  EXPECT_EQ(text, WriteMetrics(Numbers())) << "the order is fixed";
}

TEST(WriteMetricsTest, UsersBeyondABoundCountTogether) {
  MetricsNumbers numbers = Numbers();
  numbers.jobs = JobMeter();
  JobMeter::Seen job;
  job.state = v1::JOB_STATE_RUNNING;
  for (uid_t user = 0; user < DaemonMeter::kMostUsers + 5; ++user) {
    job.owner = Caller{user};
    numbers.jobs.Come(job);
  }
  const std::string text = WriteMetrics(numbers);
  EXPECT_THAT(text,
              HasSubstr("hydra_jobs{user=\"other\",state=\"running\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("hydra_jobs{user=\"0\",state=\"running\"} 1\n"));
}

TEST(WriteMetricsTest, UsersThatAreHiddenCountTogether) {
  MetricsNumbers numbers = Numbers();
  DaemonMeter meter;
  TaskTrace task;
  task.worker = WorkerId(2);
  task.kind = worker::v1::TASK_KIND_BACKWARD;
  task.begun_at = absl::FromUnixSeconds(100);
  task.ended_at = task.begun_at + absl::Milliseconds(2500);
  for (uid_t user : {1000, 1001}) meter.Add(task, Caller{user});
  numbers.daemon = meter.numbers();
  JobMeter::Seen job;
  job.owner = Caller{1001};
  job.state = v1::JOB_STATE_PENDING;
  numbers.jobs.Come(job);
  numbers.hides_users = true;
  const std::string text = WriteMetrics(numbers);
  for (const char* line : {
           "hydra_jobs{user=\"other\",state=\"pending\"} 2\n",
           "hydra_jobs{user=\"other\",state=\"running\"} 1\n",
           "hydra_device_seconds_total{user=\"other\",device=\"cpu:1\"} 5\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("user=\"1")));
  EXPECT_THAT(text, Not(HasSubstr("user=\"unknown")));
}

// What the format asks for beside the names: each line is a comment or a sample
// of the family before it, and no series comes twice.
TEST(WriteMetricsTest, EverySampleBelongsToTheFamilyBeforeIt) {
  const std::string text = WriteMetrics(Numbers());
  ASSERT_TRUE(absl::EndsWith(text, "\n"));
  std::set<std::string> series;
  std::string family;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "#") {
      ASSERT_GE(words.size(), 4) << line;
      if (words[1] == "HELP") {
        family = words[2];
      } else {
        EXPECT_EQ(words[1], "TYPE");
        EXPECT_EQ(words[2], family) << line;
      }
      continue;
    }
    EXPECT_TRUE(absl::StartsWith(line, family)) << line;
    ASSERT_EQ(words.size(), 2) << line;
    EXPECT_TRUE(series.insert(words[0]).second) << line;
  }
  EXPECT_GT(series.size(), 40);
}

}  // namespace
}  // namespace hydra
