// hydra watch and hydra logs.

#include <string>
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

TEST_F(CliFollowTest, UiNeedsAServerThatServesAPage) {
  EXPECT_EQ(Run({"ui"}), ExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("http.unix_socket"));
  service_.info_response.set_http_socket(scratch_.path() + "/none.sock");
  EXPECT_EQ(Run({"ui"}), ExitCode::kUnavailable);
  EXPECT_THAT(err_.str(), HasSubstr("/none.sock"));
  EXPECT_EQ(Run({"ui", "--port", "65536"}), ExitCode::kInvalid);
}

TEST_F(CliFollowTest, UiPrintsWhatToOpenUntilItIsInterrupted) {
  // Somebody listens there, which is all that it looks at.
  service_.info_response.set_http_socket(
      server_.address().substr(std::string("unix:").size()));
  interrupt_.Trigger();
  EXPECT_EQ(Run({"ui"}), ExitCode::kInterrupted);
  EXPECT_THAT(out_.str(),
              testing::MatchesRegex("http://127.0.0.1:[0-9]+/[0-9a-f]+/\n"));
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

TEST_F(CliFollowTest, LogsFollowThroughARestartBehindTheLastLine) {
  Take<v1::StreamLogsResponse> first;
  for (int number : {8, 9}) {
    v1::LogLine* line = first.messages.emplace_back().add_lines();
    line->mutable_time()->set_seconds(1);
    line->set_text("one\x1b");
    line->set_step(-1);
    line->set_sequence(number);
  }
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  Take<v1::StreamLogsResponse> second;
  // Nothing was new.
  second.end = first.end;
  Take<v1::StreamLogsResponse> third;
  v1::LogLine* line = third.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(1);
  line->set_text("two");
  line->set_sequence(10);
  service_.log_takes = {first, second, third};
  EXPECT_EQ(Run({"logs", "j1", "-f", "--tail", "5"}), ExitCode::kOk);
  ASSERT_THAT(OutLines(), SizeIs(3));
  EXPECT_THAT(OutLines()[1], HasSubstr("one\\x1b"));
  EXPECT_THAT(OutLines()[2], HasSubstr("two"));
  EXPECT_THAT(err_.str(), HasSubstr("lost the server"));
  ASSERT_THAT(service_.log_requests, SizeIs(3));
  EXPECT_EQ(service_.log_requests[0].tail(), 5);
  EXPECT_EQ(service_.log_requests[0].after(), 0);
  EXPECT_EQ(service_.log_requests[1].after(), 9);
  EXPECT_EQ(service_.log_requests[2].after(), 9);
}

TEST_F(CliFollowTest, LogsSayHowManyLinesAreKeptNoMore) {
  Take<v1::StreamLogsResponse> take;
  v1::StreamLogsResponse& message = take.messages.emplace_back();
  message.set_dropped_lines(1000);
  message.add_lines()->set_sequence(1001);
  service_.log_takes = {take};
  EXPECT_EQ(Run({"logs", "j1"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), SizeIs(1));
  EXPECT_THAT(err_.str(), HasSubstr("1000 line(s) were lost"));
}

}  // namespace
}  // namespace hydra
