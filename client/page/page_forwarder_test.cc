#include "client/page/page_forwarder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string ReadUntilEnd(const UniqueFd& fd) {
  std::string all;
  char bytes[4096];
  while (true) {
    const ssize_t count = recv(fd.get(), bytes, sizeof(bytes), 0);
    if (count <= 0) return all;
    all.append(bytes, count);
  }
}

// Answers each request with `answer`, and keeps what it heard.
class EchoServer {
 public:
  EchoServer(const std::string& path, std::string answer)
      : answer_(std::move(answer)),
        listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                   sizeof(address)),
              0);
    EXPECT_EQ(listen(listener_.get(), 64), 0);
    thread_ = std::thread([this] { Loop(); });
  }
  ~EchoServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::vector<std::string> heard() {
    absl::MutexLock lock(&mu_);
    return heard_;
  }

 private:
  void Loop() {
    while (true) {
      const UniqueFd fd(
          accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.is_open()) return;
      std::string head;
      char byte;
      while (head.find("\r\n\r\n") == head.npos &&
             recv(fd.get(), &byte, 1, 0) == 1) {
        head += byte;
      }
      // Whoever only looks whether it is there says nothing.
      if (head.empty()) continue;
      {
        absl::MutexLock lock(&mu_);
        heard_.push_back(head);
      }
      for (size_t sent = 0; sent < answer_.size();) {
        const ssize_t count = send(fd.get(), answer_.data() + sent,
                                   answer_.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += count;
      }
    }
  }

  const std::string answer_;
  const UniqueFd listener_;
  absl::Mutex mu_;
  std::vector<std::string> heard_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

class PageForwarderTest : public ::testing::Test {
 protected:
  void Open(std::string answer) {
    server_ = std::make_unique<EchoServer>(path_, std::move(answer));
    auto forwarder = PageForwarder::Listen(path_, 0);
    ASSERT_TRUE(forwarder.ok()) << forwarder.status();
    forwarder_ = *std::move(forwarder);
    // http://127.0.0.1:PORT/SECRET/
    const std::string url = forwarder_->url();
    absl::string_view rest = url;
    ASSERT_TRUE(absl::ConsumePrefix(&rest, "http://127.0.0.1:"));
    const size_t slash = rest.find('/');
    ASSERT_TRUE(absl::SimpleAtoi(rest.substr(0, slash), &port_));
    path_with_secret_ = std::string(rest.substr(slash));
  }
  UniqueFd Connect() const {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
                      sizeof(address)),
              0);
    return fd;
  }
  std::string Ask(const std::string& request) const {
    const UniqueFd fd = Connect();
    EXPECT_EQ(send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    return ReadUntilEnd(fd);
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_.PathOf("http.sock");
  std::unique_ptr<EchoServer> server_;
  std::unique_ptr<PageForwarder> forwarder_;
  int port_ = 0;
  std::string path_with_secret_;
};

TEST_F(PageForwarderTest, BringsWhoKnowsTheSecretToTheServer) {
  // More than sockets hold.
  const std::string answer =
      absl::StrCat("HTTP/1.1 200 OK\r\n\r\n", std::string(4 << 20, 'x'));
  Open(answer);
  EXPECT_EQ(Ask(absl::StrCat("GET ", path_with_secret_,
                             "api/v1/jobs?state= HTTP/1.1\r\nHost: "
                             "127.0.0.1\r\n\r\n")),
            answer);
  EXPECT_THAT(server_->heard(),
              ElementsAre("GET /api/v1/jobs?state= HTTP/1.1\r\nHost: "
                          "127.0.0.1\r\n\r\n"));
}

TEST_F(PageForwarderTest, TheServerHearsNothingOfOthers) {
  Open("HTTP/1.1 200 OK\r\n\r\n");
  std::string other = path_with_secret_;
  other[1] = other[1] == '0' ? '1' : '0';
  for (const std::string& path : {std::string("/"), other, std::string("/x")}) {
    EXPECT_THAT(Ask(absl::StrCat("GET ", path, " HTTP/1.1\r\n\r\n")),
                StartsWith("HTTP/1.1 404 Not Found\r\n"));
  }
  EXPECT_THAT(
      Ask(absl::StrCat("POST ", path_with_secret_, " HTTP/1.1\r\n\r\n")),
      StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(server_->heard(), IsEmpty());
}

TEST_F(PageForwarderTest, OneConnectionIsForOneRequest) {
  Open("HTTP/1.1 200 OK\r\n\r\n");
  Ask(absl::StrCat("GET ", path_with_secret_,
                   " HTTP/1.1\r\n\r\nGET /api/v1/jobs HTTP/1.1\r\n\r\n"));
  EXPECT_THAT(server_->heard(), ElementsAre("GET / HTTP/1.1\r\n\r\n"));
}

TEST_F(PageForwarderTest, ThoseWhoSayNothingKeepNobodyAway) {
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
  Open(answer);
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(Connect());
  EXPECT_EQ(Ask(absl::StrCat("GET ", path_with_secret_, " HTTP/1.1\r\n\r\n")),
            answer);
}

TEST_F(PageForwarderTest, SaysWhenTheServerIsGone) {
  Open("HTTP/1.1 200 OK\r\n\r\n");
  server_.reset();
  EXPECT_THAT(Ask(absl::StrCat("GET ", path_with_secret_, " HTTP/1.1\r\n\r\n")),
              HasSubstr("502 Bad Gateway"));
}

TEST_F(PageForwarderTest, EndsWhileSomebodyIsConnected) {
  Open("HTTP/1.1 200 OK\r\n\r\n");
  const UniqueFd fd = Connect();
  ASSERT_EQ(send(fd.get(), "GET ", 4, MSG_NOSIGNAL), 4);
  forwarder_.reset();
  EXPECT_EQ(ReadUntilEnd(fd), "");
}

TEST_F(PageForwarderTest, NeedsAServer) {
  const auto forwarder = PageForwarder::Listen(path_, 0);
  EXPECT_EQ(forwarder.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(forwarder.status().message()), HasSubstr(path_));
}

TEST_F(PageForwarderTest, SaysWhomASocketIsForThatThisUserMayNotUse) {
  if (geteuid() == 0) GTEST_SKIP() << "root may use any";
  const EchoServer server(path_, "");
  ASSERT_EQ(chmod(path_.c_str(), 0), 0);
  const auto forwarder = PageForwarder::Listen(path_, 0);
  EXPECT_EQ(forwarder.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(forwarder.status().message()),
              HasSubstr("is for user "));
}

}  // namespace
}  // namespace hydra
