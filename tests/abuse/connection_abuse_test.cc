// Clients that take all connections there are, and such that say they were
// workers.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "tests/abuse/other_user.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

constexpr int kManyConnections = 3000;
constexpr absl::Duration kPatience = absl::Seconds(60);

class ConnectionAbuseTest : public FaultTest {
 protected:
  static std::string SocketOf(const Cluster& cluster) {
    return cluster.directory() + "/hydrad.sock";
  }

  // The way to the socket, for everybody.
  static void LetEverybodyIn(const Cluster& cluster) {
    ASSERT_EQ(chmod(cluster.directory().c_str(), 0755), 0);
    ASSERT_EQ(chmod(SocketOf(cluster).c_str(), 0666), 0);
  }

  static int64_t DescriptorsOf(const Cluster& cluster) {
    const fs::directory_iterator open(
        absl::StrCat("/proc/", cluster.daemon_pid(), "/fd"));
    return std::distance(fs::begin(open), fs::end(open));
  }

  // With a new connection.
  static grpc::Status Ask(const Cluster& cluster, absl::Duration patience) {
    const auto stub = ConnectTo(cluster.address());
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
    context.set_wait_for_ready(true);
    v1::GetServerInfoResponse response;
    return stub->GetServerInfo(&context, {}, &response);
  }

  // What a stream with this session is answered on a socket.
  static grpc::Status Attach(const std::string& socket,
                             const std::string& session) {
    const auto stub = wv1::WorkerService::NewStub(grpc::CreateChannel(
        "unix:" + socket, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    const auto stream = stub->Attach(&context);
    wv1::WorkerReport report;
    report.set_session(session);
    stream->Write(report);
    wv1::DesiredState desired;
    while (stream->Read(&desired)) {
    }
    return stream->Finish();
  }
};

TEST_F(ConnectionAbuseTest, IdleConnectionsOfAnotherUserKeepNobodyOut) {
  if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can be two users";
  Cluster cluster(Options());
  LetEverybodyIn(cluster);
  const OtherUser crowd(
      [&] { return ConnectIdly(SocketOf(cluster), kManyConnections); });
  EXPECT_EQ(crowd.result(), kManyConnections);
  const grpc::Status status = Ask(cluster, kPatience);
  EXPECT_TRUE(status.ok()) << status.error_message();
  // The daemon trains on, too.
  EXPECT_TRUE(ExpectExact(cluster.Run(spec())));
}

TEST_F(ConnectionAbuseTest, ADaemonThatHadNoDescriptorsLeftServesAgain) {
  Cluster cluster(Options());
  {
    const OtherUser crowd(
        [&] { return ConnectIdly(SocketOf(cluster), kManyConnections); });
  }
  const grpc::Status status = Ask(cluster, kPatience);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// Of the user's own as well: what never says a word is closed.
TEST_F(ConnectionAbuseTest, ConnectionsThatNeverSpeakAreClosed) {
  Cluster cluster(Options());
  LetEverybodyIn(cluster);
  const int64_t before = DescriptorsOf(cluster);
  const OtherUser crowd([&] { return ConnectIdly(SocketOf(cluster), 200); });
  // Some come and go with calls.
  cluster.Await([&] { return DescriptorsOf(cluster) < before + 20; });
}

TEST_F(ConnectionAbuseTest, NobodyIsAWorkerOnThePublicSocket) {
  Cluster cluster(Options());
  cluster.WorkerPids();
  EXPECT_EQ(Attach(SocketOf(cluster), "any").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ConnectionAbuseTest, TheWorkersSocketIsForHydradAlone) {
  Cluster cluster(Options());
  const std::string folder = cluster.state_dir() + "/run";
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms(0700));
  EXPECT_EQ(fs::status(folder + "/workers.sock").permissions(),
            fs::perms(0600));
  if (!CanBecomeOtherUser()) return;
  ASSERT_EQ(chmod(cluster.directory().c_str(), 0755), 0);
  const OtherUser other(
      [&] { return ConnectIdly(folder + "/workers.sock", 1); });
  EXPECT_EQ(other.result(), 0);
}

TEST_F(ConnectionAbuseTest, ASessionIsOfNoUseToAnotherProcess) {
  Cluster cluster(Options());
  const std::vector<pid_t> workers = cluster.WorkerPids();
  // As whoever could read the pool's journal would know it.
  std::ifstream file(absl::StrCat("/proc/", workers[0], "/environ"));
  std::string session;
  for (std::string line; std::getline(file, line, '\0');) {
    const std::string name = "HYDRA_WORKER_SESSION=";
    if (line.rfind(name, 0) == 0) session = line.substr(name.size());
  }
  ASSERT_NE(session, "");
  const grpc::Status status =
      Attach(cluster.state_dir() + "/run/workers.sock", session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(cluster.WorkerPids(), workers);
  EXPECT_EQ(cluster.Restarts(), 0);
}

TEST_F(ConnectionAbuseTest, WorkersFindADaemonThatWasStartedAgain) {
  Cluster cluster(Options());
  const std::vector<pid_t> workers = cluster.WorkerPids();
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(cluster.WorkerPids(), workers);
  EXPECT_TRUE(ExpectExact(cluster.Run(spec())));
}

}  // namespace
}  // namespace hydra
