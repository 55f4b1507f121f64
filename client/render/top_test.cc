#include "client/render/top.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class RenderTopTest : public ::testing::Test {
 protected:
  RenderTopTest() {
    v1::WorkerStatus& busy = *workers_.add_workers();
    busy.set_device("cuda:0");
    busy.set_state(v1::WORKER_STATE_READY);
    busy.set_task("j1 BACKWARD shard 2 step 17");
    busy.set_task_job_id("j1");
    busy.set_computing(0.84);
    v1::WorkerStatus& drained = *workers_.add_workers();
    drained.set_device("cuda:1");
    drained.set_state(v1::WORKER_STATE_READY);
    drained.set_draining(true);
    drained.set_drain_reason("new fan");
    v1::JobStatus& job = AddJob("j1", "alice", v1::JOB_STATE_RUNNING);
    job.set_step(17);
    job.set_total_steps(120);
    job.set_train_loss(3.412);
    job.set_tokens_per_second(2468);
    AddJob("j2", "alice", v1::JOB_STATE_PENDING);
    AddJob("j3", "bob", v1::JOB_STATE_PAUSED);
  }

  v1::JobStatus& AddJob(const std::string& id, const std::string& owner,
                        v1::JobState state) {
    v1::JobStatus& job = *jobs_.add_jobs();
    job.set_job_id(id);
    job.set_owner(owner);
    job.set_name(absl::StrCat("a-model-with-quite-a-long-name-", id));
    job.set_state(state);
    return job;
  }
  std::vector<std::string> Lines(TerminalSize size) const {
    return RenderTop(workers_, jobs_, size, /*color=*/false);
  }
  std::string Text(TerminalSize size = {}) const {
    return absl::StrJoin(Lines(size), "\n");
  }

  v1::ListWorkersResponse workers_;
  v1::ListJobsResponse jobs_;
};

TEST_F(RenderTopTest, ShowsDevicesUsersAndWhatRuns) {
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("1 of 2 devices compute; jobs: 1 running, 1 "
                              "waiting, 1 paused"));
  EXPECT_THAT(text, ContainsRegex("cuda:0 +ready +84% .*j1 BACKWARD"));
  EXPECT_THAT(text, ContainsRegex("cuda:1 +drained .*new fan"));
  EXPECT_THAT(text, ContainsRegex("alice +1 of 2 +1 +1 +0"));
  EXPECT_THAT(text, ContainsRegex("bob +0 of 2 +0 +0 +1"));
  EXPECT_THAT(text, ContainsRegex("j1 +alice .* 17/120 +3\\.41.* 2468"));
  EXPECT_THAT(text, Not(HasSubstr("name-j2")));
}

TEST_F(RenderTopTest, FitsItsTerminal) {
  for (int i = 10; i < 60; ++i) {
    AddJob(absl::StrCat("j", i), "carol", v1::JOB_STATE_RUNNING);
  }
  for (int width : {80, 120}) {
    for (int height : {5, 24, 40}) {
      const std::vector<std::string> lines = Lines({width, height});
      EXPECT_LE(lines.size(), height - 1);
      for (const std::string& line : lines) {
        EXPECT_LE(DisplayWidth(line), width) << line;
      }
    }
    EXPECT_THAT(Text({width, 24}),
                ContainsRegex("\\.\\.\\. and [0-9]+ more run"));
    EXPECT_THAT(Text({width, 24}), ContainsRegex("j1 +alice"));
  }
  EXPECT_THAT(Text(), Not(HasSubstr("more run")));
}

TEST_F(RenderTopTest, ManyUsersLeaveRoomForWhatRuns) {
  for (int i = 10; i < 60; ++i) {
    AddJob(absl::StrCat("j", i), absl::StrCat("a", i), v1::JOB_STATE_PENDING);
  }
  const std::string text = Text({80, 24});
  EXPECT_THAT(text, HasSubstr("... and 44 more users"));
  EXPECT_THAT(text, ContainsRegex("alice +1 of 2 +1"));
  EXPECT_THAT(text, ContainsRegex("j1 +alice"));
  EXPECT_THAT(Text(), Not(HasSubstr("more users")));
}

TEST_F(RenderTopTest, WithoutJobsThereAreTheDevices) {
  jobs_.Clear();
  // A summary, a blank line, titles, two devices.
  EXPECT_THAT(Lines({}), SizeIs(5));
}

}  // namespace
}  // namespace hydra
