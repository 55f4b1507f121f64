#include "client/connection/connection.h"

#include "client/testing/fake_server.h"
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

TEST_F(ConnectionTest, AnInterruptEndsWaitingForTheServer) {
  server_.Stop();
  interrupt_.Trigger();
  connection_.AwaitServer(absl::InfiniteDuration(), &interrupt_);
}

}  // namespace
}  // namespace hydra
