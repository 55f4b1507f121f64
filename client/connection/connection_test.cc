#include "client/connection/connection.h"

#include "client/testing/fake_server.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

class ConnectionTest : public ::testing::Test {
 protected:
  absl::Status Ask() {
    return connection_.GetServerInfo(v1::GetServerInfoRequest()).status();
  }

  FakeServer server_;
  Connection connection_{server_.address(), absl::Minutes(1)};
  Interrupt interrupt_;
};

TEST_F(ConnectionTest, NamesTheServerThatIsAway) {
  server_.Stop();
  const absl::Status status = Ask();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(server_.address()));
}

TEST_F(ConnectionTest, ConnectsAgainToAServerThatWasAway) {
  EXPECT_EQ(Ask(), absl::OkStatus());
  server_.Stop();
  EXPECT_EQ(Ask().code(), absl::StatusCode::kUnavailable);
  server_.Start();
  connection_.AwaitServer(absl::Minutes(1), &interrupt_);
  EXPECT_EQ(Ask(), absl::OkStatus());
}

TEST_F(ConnectionTest, MakesACallAgainIfTheServerSaysThatItMayHelp) {
  const grpc::Status soon = ToGrpc(
      WithRetry(absl::UnavailableError("starting"), absl::Milliseconds(1)));
  server_.service().first_list_errors = {soon, soon};
  EXPECT_EQ(connection_.ListJobs({}).status(), absl::OkStatus());
  EXPECT_EQ(server_.service().list_requests.size(), 3u);
  // Not for ever.
  server_.service().first_list_errors = {soon, soon, soon, soon};
  EXPECT_EQ(connection_.ListJobs({}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(server_.service().list_requests.size(), 6u);
}

TEST_F(ConnectionTest, MakesNoCallAgainOtherwise) {
  server_.service().first_list_errors = {
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping")};
  EXPECT_EQ(connection_.ListJobs({}).status().code(),
            absl::StatusCode::kUnavailable);
  // Nor if there is no time for it.
  server_.service().first_list_errors = {
      ToGrpc(WithRetry(absl::UnavailableError("starting"), absl::Hours(1)))};
  EXPECT_EQ(connection_.ListJobs({}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(server_.service().list_requests.size(), 2u);
}

TEST_F(ConnectionTest, AnInterruptEndsWaitingForTheServer) {
  server_.Stop();
  interrupt_.Trigger();
  connection_.AwaitServer(absl::InfiniteDuration(), &interrupt_);
}

}  // namespace
}  // namespace hydra
