// hydra watch and hydra logs.

#include <thread>

#include "absl/synchronization/mutex.h"
#include "client/testing/cli_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using CliFollowTest = CliFixture;

TEST_F(CliFollowTest, WatchSaysWhetherAJobFailed) {
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("RANK"));
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_FAILED));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kFailed);
  EXPECT_EQ(service_.watch_requests[1].job_id(), "j1");
}

TEST_F(CliFollowTest, WatchGoesOnWhileAJobIsPaused) {
  auto take = WatchTake(v1::JOB_STATE_PAUSED);
  // Should the server end the stream there, it is opened again.
  service_.watch_takes.push_back(take);
  take.messages.push_back(WatchTake(v1::JOB_STATE_COMPLETED).messages.front());
  service_.watch_takes.push_back(take);
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  EXPECT_THAT(service_.watch_requests, SizeIs(2));
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("j1 tiny: paused"),
                                HasSubstr("j1 tiny: completed")));
}

TEST_F(CliFollowTest, WatchWritesAMessageALineAsJson) {
  auto take = WatchTake(v1::JOB_STATE_RUNNING);
  take.messages.push_back(WatchTake(v1::JOB_STATE_COMPLETED).messages.front());
  service_.watch_takes.push_back(take);
  EXPECT_EQ(Run({"watch", "j1", "-o", "json"}), ExitCode::kOk);
  ASSERT_THAT(OutLines(), SizeIs(2));
  EXPECT_EQ(nlohmann::json::parse(OutLines()[1])["jobs"][0]["state"],
            "JOB_STATE_COMPLETED");
}

TEST_F(CliFollowTest, WatchConnectsAgainWhenTheServerWentAway) {
  const grpc::Status gone(grpc::StatusCode::UNAVAILABLE, "stopping");
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_RUNNING, gone));
  // The stream of a server that stops in good order ends with OK.
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_RUNNING));
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("lost the server"),
                                HasSubstr("connected again")));
}

TEST_F(CliFollowTest, WatchGoesOnAfterTheServerWasStartedAgain) {
  auto running = WatchTake(v1::JOB_STATE_RUNNING);
  running.stays_open = true;
  service_.watch_takes.push_back(running);
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  std::thread restarting([this] {
    {
      absl::MutexLock lock(&service_.mu);
      const auto asked = [this] { return !service_.watch_requests.empty(); };
      service_.mu.Await(absl::Condition(&asked));
    }
    server_.Stop();
    server_.Start();
  });
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  restarting.join();
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("lost the server"),
                                HasSubstr("connected again")));
}

TEST_F(CliFollowTest, WatchGivesUpOnAServerThatStaysAway) {
  give_up_after_ = absl::ZeroDuration();
  const grpc::Status gone(grpc::StatusCode::UNAVAILABLE, "stopping");
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_RUNNING, gone));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kUnavailable);
}

TEST_F(CliFollowTest, AnInterruptEndsAWatch) {
  std::thread interrupting([this] {
    absl::MutexLock lock(&service_.mu);
    const auto asked = [this] { return !service_.watch_requests.empty(); };
    service_.mu.Await(absl::Condition(&asked));
    interrupt_.Trigger();
  });
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kInterrupted);
  interrupting.join();
}

TEST_F(CliFollowTest, WaitIsSilentAndItsCodeSaysWhetherAllCompleted) {
  auto take = WatchTake(v1::JOB_STATE_RUNNING);
  take.messages.push_back(WatchTake(v1::JOB_STATE_COMPLETED).messages.front());
  service_.watch_takes = {take, WatchTake(v1::JOB_STATE_COMPLETED)};
  EXPECT_EQ(Run({"wait", "j1", "s2"}), ExitCode::kOk);
  EXPECT_EQ(out_.str() + err_.str(), "");
  ASSERT_THAT(service_.watch_requests, SizeIs(2));
  EXPECT_EQ(service_.watch_requests[0].job_id(), "j1");
  EXPECT_EQ(service_.watch_requests[1].sweep_id(), "s2");

  take = WatchTake(v1::JOB_STATE_FAILED);
  take.messages[0].mutable_jobs(0)->set_reason("no such file");
  service_.watch_takes = {take, WatchTake(v1::JOB_STATE_COMPLETED)};
  EXPECT_EQ(Run({"wait", "j1", "s2"}), ExitCode::kFailed);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "hydra: j1 failed: no such file\n");
  EXPECT_THAT(service_.watch_requests, SizeIs(4))
      << "the others are waited for";
}

TEST_F(CliFollowTest, WaitEndsWithItsTime) {
  auto take = WatchTake(v1::JOB_STATE_RUNNING);
  take.stays_open = true;
  service_.watch_takes = {take};
  EXPECT_EQ(Run({"wait", "j1", "--timeout", "0.05"}), ExitCode::kTimeout);
  EXPECT_THAT(err_.str(), HasSubstr("j1 has not ended within 0.1s"));
}

TEST_F(CliFollowTest, WaitGoesOnWithoutAServerForAWhileAndTakesInterrupts) {
  const grpc::Status gone(grpc::StatusCode::UNAVAILABLE, "stopping");
  service_.watch_takes = {WatchTake(v1::JOB_STATE_RUNNING, gone),
                          WatchTake(v1::JOB_STATE_COMPLETED)};
  EXPECT_EQ(Run({"wait", "j1"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), HasSubstr("lost the server"));
  std::thread interrupting([this] {
    absl::MutexLock lock(&service_.mu);
    const auto asked = [this] { return service_.watch_requests.size() == 3; };
    service_.mu.Await(absl::Condition(&asked));
    interrupt_.Trigger();
  });
  EXPECT_EQ(Run({"wait", "j1"}), ExitCode::kInterrupted);
  interrupting.join();
}

TEST_F(CliFollowTest, LogsFollowThroughARestartWithoutRepeatingLines) {
  Take<v1::StreamLogsResponse> first;
  v1::LogLine* line = first.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(1);
  line->set_text("one\x1b");
  line->set_step(-1);
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  Take<v1::StreamLogsResponse> second;
  second.messages = first.messages;
  line = second.messages[0].add_lines();
  line->mutable_time()->set_seconds(2);
  line->set_text("two");
  service_.log_takes = {first, second};
  EXPECT_EQ(Run({"logs", "j1", "-f", "--tail", "5"}), ExitCode::kOk);
  ASSERT_THAT(OutLines(), SizeIs(2));
  EXPECT_THAT(OutLines()[0], HasSubstr("one\\x1b"));
  EXPECT_THAT(OutLines()[1], HasSubstr("two"));
  EXPECT_THAT(err_.str(), HasSubstr("lost the server"));
  ASSERT_THAT(service_.log_requests, SizeIs(2));
  EXPECT_EQ(service_.log_requests[0].tail(), 5);
  EXPECT_EQ(service_.log_requests[1].tail(), 0);
}

TEST_F(CliFollowTest, LogsSayThatLinesMayBeMissingAfterARestart) {
  Take<v1::StreamLogsResponse> first;
  v1::LogLine* line = first.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(1);
  line->set_text("before");
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  // A server that was started again has newer lines alone.
  Take<v1::StreamLogsResponse> second;
  line = second.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(9);
  line->set_text("after");
  service_.log_takes = {first, second};
  EXPECT_EQ(Run({"logs", "j1", "-f"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), SizeIs(2));
  EXPECT_THAT(err_.str(), HasSubstr("may be missing here"));
}

TEST_F(CliFollowTest, LogsCountNoLinesAsLostThatWereShownBefore) {
  Take<v1::StreamLogsResponse> first;
  v1::LogLine* line = first.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(5);
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  Take<v1::StreamLogsResponse> second;
  second.messages = first.messages;
  second.messages[0].set_dropped_lines(1000);
  service_.log_takes = {first, second};
  EXPECT_EQ(Run({"logs", "j1", "-f", "--tail", "1"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), Not(HasSubstr("1000")));
  EXPECT_THAT(err_.str(), Not(HasSubstr("missing")));
}

}  // namespace
}  // namespace hydra
