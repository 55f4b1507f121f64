#include "scheduler/daemon/daemon.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "common/jobfile/daemon_config.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// A daemon whose worker ends at once, in a directory of its own.
class DaemonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.set_state_dir(root_ / "state");
    config_.set_unix_socket(root_ / "run/hydrad.sock");
    config_.mutable_pool()->set_path(root_ / "pool");
    config_.mutable_pool()->set_size_bytes(4 << 20);
    config_.set_worker_binary("/bin/false");
    config_.add_devices()->set_name("cpu:0");
    FillDefaults(&config_);
  }

  bool PoolIsThere() const {
    return fs::exists(root_ / "pool") || fs::exists(root_ / "pool.db");
  }

  const ScratchDirectory scratch_;
  const fs::path root_ = scratch_.path();
  config::v1::DaemonConfig config_;
};

// Somebody else's server.
class TakenPort {
 public:
  TakenPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const bool listens =
        bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        listen(fd_, 1) == 0 &&
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    EXPECT_TRUE(listens);
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { close(fd_); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  const int fd_;
  int port_ = 0;
};

// What is answered by HTTP at a unix socket.
std::string Get(const std::string& socket_path, const std::string& target) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(),
               sizeof(address.sun_path) - 1);
  EXPECT_EQ(
      connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0)
      << socket_path;
  const std::string request =
      absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char bytes[4096];
  for (ssize_t count; (count = recv(fd.get(), bytes, sizeof(bytes), 0)) > 0;) {
    answer.append(bytes, count);
  }
  return answer;
}

TEST_F(DaemonTest, ServesMetricsAndThePageOnASocketIfItIsTold) {
  const std::string path = root_ / "run/http.sock";
  config_.mutable_http()->set_unix_socket(path);
  auto daemon = Daemon::Start(config_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_EQ(fs::status(path).permissions(), static_cast<fs::perms>(0660));
  const std::string metrics = Get(path, "/metrics");
  EXPECT_NE(metrics.find("\nhydra_worker_restarts_total{device=\"cpu:0\"} "),
            metrics.npos)
      << metrics;
  EXPECT_NE(metrics.find("\nhydra_pool_bytes{kind=\"size\"} 4194304\n"),
            metrics.npos)
      << metrics;
  EXPECT_NE(Get(path, "/").find("<!doctype html>"), std::string::npos);
  EXPECT_NE(Get(path, "/api/v1/server").find(path), std::string::npos);
  (*daemon)->Stop(absl::Seconds(30));
  daemon->reset();
  EXPECT_FALSE(fs::exists(path));
}

// Whom `allow` names may be in no group that the sockets are for.
TEST_F(DaemonTest, WithAllowBothSocketsAreOpenAndItSaysWhoMay) {
  const std::string path = root_ / "run/http.sock";
  config_.mutable_http()->set_unix_socket(path);
  config_.add_allow("root");
  auto daemon = Daemon::Start(config_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  for (const std::string& socket : {config_.unix_socket(), path}) {
    EXPECT_EQ(fs::status(socket).permissions(), static_cast<fs::perms>(0666))
        << socket;
  }
  (*daemon)->Stop(absl::Seconds(30));
}

TEST_F(DaemonTest, AFailedStartLeavesNoSocketOfThePage) {
  const std::string path = root_ / "run/http.sock";
  const TakenPort taken;
  config_.mutable_http()->set_unix_socket(path);
  config_.mutable_http()->set_address(taken.address());
  EXPECT_EQ(Daemon::Start(config_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::exists(config_.unix_socket()));
  EXPECT_FALSE(PoolIsThere());
}

TEST_F(DaemonTest, MakesItsSocketsFolderAndTidiesUp) {
  auto daemon = Daemon::Start(config_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_TRUE(fs::exists(config_.unix_socket()));
  EXPECT_TRUE(PoolIsThere());
  (*daemon)->Stop(absl::Seconds(30));
  daemon->reset();
  EXPECT_FALSE(fs::exists(config_.unix_socket()));
  EXPECT_FALSE(PoolIsThere());
}

TEST_F(DaemonTest, OneThatIsNotStoppedLeavesItsPoolToTheNext) {
  auto daemon = Daemon::Start(config_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  daemon->reset();
  EXPECT_TRUE(PoolIsThere());
  daemon = Daemon::Start(config_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  (*daemon)->Stop(absl::Seconds(30));
  daemon->reset();
  EXPECT_FALSE(PoolIsThere());
}

TEST_F(DaemonTest, AFailedStartLeavesNoNewPool) {
  const TakenPort taken;
  config_.set_tcp_address(taken.address());
  EXPECT_EQ(Daemon::Start(config_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(PoolIsThere());
}

TEST_F(DaemonTest, ASocketWithoutAPlaceIsToldBeforeThePoolIsMade) {
  config_.set_unix_socket(root_ / "no/such/hydrad.sock");
  EXPECT_EQ(Daemon::Start(config_).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(PoolIsThere());
}

}  // namespace
}  // namespace hydra
