#include "scheduler/http/recent_trace.h"

#include <string>
#include <vector>

#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

absl::Time At(int seconds) { return absl::FromUnixSeconds(1000 + seconds); }

class RecentTraceTest : public ::testing::Test {
 protected:
  void Add(uint64_t job, uint64_t worker, int begun, int ended,
           worker::v1::TaskKind kind = worker::v1::TASK_KIND_FORWARD) {
    TaskTrace task;
    task.job = JobId(job);
    task.worker = WorkerId(worker);
    task.kind = kind;
    task.shard = 1;
    task.step = 7;
    task.outcome = v1::TASK_OUTCOME_COMMITTED;
    task.begun_at = At(begun);
    task.ended_at = At(ended);
    log_.Add(task);
  }
  std::vector<std::string> JobsSince(int since, size_t most) {
    const v1::TraceResponse trace =
        RecentTrace(log_, {"cpu:0", "cpu:1"}, At(since), most,
                    [](JobId) { return Answer::kAllowed; });
    std::vector<std::string> jobs;
    for (const auto& task : trace.tasks()) jobs.push_back(task.job_id());
    return jobs;
  }

  TraceLog log_{{}, At(0)};
};

TEST_F(RecentTraceTest, TellsTheNewestTasksThatEndedSince) {
  Add(1, 1, 0, 5);
  Add(2, 2, 0, 9);
  Add(3, 1, 5, 7);
  EXPECT_THAT(JobsSince(0, 10), ElementsAre("j1", "j2", "j3"));
  EXPECT_THAT(JobsSince(5, 10), ElementsAre("j2", "j3"));
  EXPECT_THAT(JobsSince(0, 1), ElementsAre("j3"));
  EXPECT_THAT(JobsSince(9, 10), ElementsAre());
}

TEST_F(RecentTraceTest, FindsTheNewestOfVeryMany) {
  for (int i = 0; i < 2 * int{TraceLog::kMostInOneGo} + 5; ++i) {
    Add(i + 1, 1, i, i + 1);
  }
  EXPECT_THAT(JobsSince(0, 2), ElementsAre("j2004", "j2005"));
}

TEST_F(RecentTraceTest, OfOthersTasksItTellsWhatTheTraceOfACallTells) {
  Add(1, 1, 0, 5);
  Add(2, 2, 1, 6);
  Add(2, 2, 6, 8);
  Add(3, 2, 8, 9);
  // What prepares data takes no device, so nobody misses it.
  Add(2, 2, 2, 8, worker::v1::TASK_KIND_PREPARE);
  Add(1, 1, 2, 8, worker::v1::TASK_KIND_PREPARE);
  int asked = 0;
  const v1::TraceResponse trace =
      RecentTrace(log_, {"cpu:0", "cpu:1"}, At(0), 10, [&](JobId job) {
        ++asked;
        return job == JobId(1)   ? Answer::kAllowed
               : job == JobId(2) ? Answer::kHidden
                                 : Answer::kForbidden;
      });
  EXPECT_EQ(asked, 3);
  ASSERT_EQ(trace.tasks_size(), 5);
  EXPECT_EQ(trace.tasks(4).kind(), "PREPARE");
  EXPECT_EQ(trace.tasks(4).job_id(), "j1");
  EXPECT_EQ(trace.tasks(0).job_id(), "j1");
  EXPECT_EQ(trace.tasks(0).kind(), "FORWARD");
  EXPECT_EQ(trace.tasks(0).shard(), 1);
  EXPECT_EQ(trace.tasks(0).step(), 7);
  v1::TracedTask hidden;
  hidden.set_device("cpu:1");
  hidden.set_kind("FORWARD");
  hidden.set_withheld(true);
  *hidden.mutable_begun() = ToProto(At(1));
  *hidden.mutable_ended() = ToProto(At(6));
  EXPECT_EQ(trace.tasks(1).SerializeAsString(), hidden.SerializeAsString());
  v1::TracedTask others = hidden;
  others.set_job_id("j3");
  others.set_shard(1);
  *others.mutable_begun() = ToProto(At(8));
  *others.mutable_ended() = ToProto(At(9));
  EXPECT_EQ(trace.tasks(3).SerializeAsString(), others.SerializeAsString());
}

}  // namespace
}  // namespace hydra
