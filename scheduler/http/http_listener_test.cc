#include "scheduler/http/http_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kPatienceMs = 60'000;

// What comes until the other side closes the connection.
std::string ReadAll(const UniqueFd& fd) {
  std::string all;
  while (true) {
    pollfd ready = {fd.get(), POLLIN, 0};
    if (poll(&ready, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "the connection stays open, after: " << all;
      return all;
    }
    char bytes[4096];
    const ssize_t count = recv(fd.get(), bytes, sizeof(bytes), 0);
    if (count <= 0) return all;
    all.append(bytes, count);
  }
}

// Whether the other side has the connection open, and says nothing.
bool IsQuiet(const UniqueFd& fd) {
  char byte;
  return recv(fd.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 &&
         errno == EAGAIN;
}

class HttpListenerTest : public ::testing::Test {
 protected:
  HttpListenerTest() {
    address_.sun_family = AF_UNIX;
    std::strncpy(address_.sun_path, scratch_.PathOf("http.sock").c_str(),
                 sizeof(address_.sun_path) - 1);
  }

  void Listen(const HttpLimits& limits) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address_),
                   sizeof(address_)),
              0);
    ASSERT_EQ(listen(fd.get(), 64), 0);
    listener_ = Open(std::move(fd), limits);
  }
  std::unique_ptr<HttpListener> Open(UniqueFd fd, const HttpLimits& limits) {
    auto listener = HttpListener::Open(
        std::move(fd),
        [this](const HttpRequest& request) { return Answer(request); }, limits);
    EXPECT_TRUE(listener.ok()) << listener.status();
    return *std::move(listener);
  }
  HttpResponse Answer(const HttpRequest& request) {
    absl::MutexLock lock(&mu_);
    newest_ = request;
    ++answered_;
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = absl::StrCat("at ", request.path);
    if (request.path == "/own-policy") {
      response.headers.emplace_back("Content-Security-Policy", "mine");
    }
    if (request.path == "/large") response.body.assign(8 << 20, 'x');
    return response;
  }

  UniqueFd Connect() {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address_),
                      sizeof(address_)),
              0);
    return fd;
  }
  static void Say(const UniqueFd& fd, const std::string& text) {
    (void)send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  std::string Ask(const std::string& request) {
    const UniqueFd fd = Connect();
    Say(fd, request);
    return ReadAll(fd);
  }
  std::string Get(const std::string& target) {
    return Ask(
        absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  }
  HttpRequest Newest() {
    absl::MutexLock lock(&mu_);
    return newest_;
  }
  int answered() {
    absl::MutexLock lock(&mu_);
    return answered_;
  }

  ScratchDirectory scratch_;
  sockaddr_un address_ = {};
  absl::Mutex mu_;
  HttpRequest newest_ ABSL_GUARDED_BY(mu_);
  int answered_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<HttpListener> listener_;
};

TEST_F(HttpListenerTest, AnswersWhoeverTheKernelSaysIsAsking) {
  Listen(HttpLimits());
  const std::string answer = Get("/a%20b?x=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\nat /a b")) << answer;
  const HttpRequest request = Newest();
  EXPECT_EQ(request.caller.user, getuid());
  EXPECT_EQ(TextParameter(request, "x"), "1");
}

TEST_F(HttpListenerTest, NobodyIsKnownBehindATcpConnection) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd.get(), 8), 0);
  ASSERT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size),
            0);
  listener_ = Open(std::move(fd), HttpLimits());
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), size),
            0);
  Say(client, "GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n");
  EXPECT_THAT(ReadAll(client), HasSubstr("200 OK"));
  EXPECT_EQ(Newest().caller, Caller());
}

TEST_F(HttpListenerTest, AllAnswersKeepBrowsersFromReadingMoreIntoThem) {
  Listen(HttpLimits());
  for (const std::string& answer :
       {Get("/"), Ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")}) {
    EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Frame-Options: DENY\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nReferrer-Policy: no-referrer\r\n"));
    EXPECT_THAT(answer,
                HasSubstr("\r\nCross-Origin-Resource-Policy: same-origin\r\n"));
    EXPECT_THAT(answer,
                HasSubstr("\r\nContent-Security-Policy: default-src 'none'; "
                          "frame-ancestors 'none'\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Access-Control")));
  }
  const std::string own = Get("/own-policy");
  EXPECT_THAT(own, HasSubstr("\r\nContent-Security-Policy: mine\r\n"));
  EXPECT_THAT(own, Not(HasSubstr("default-src")));
}

TEST_F(HttpListenerTest, HeadHasNoBody) {
  Listen(HttpLimits());
  const std::string answer = Ask("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n")) << answer;
}

TEST_F(HttpListenerTest, RefusesOtherMethodsHostsAndBodies) {
  Listen(HttpLimits());
  const std::string host = "Host: localhost\r\n";
  const struct {
    std::string request;
    std::string status;
  } kCases[] = {
      {absl::StrCat("POST / HTTP/1.1\r\n", host, "\r\n"), "405"},
      {absl::StrCat("DELETE / HTTP/1.1\r\n", host, "\r\n"), "405"},
      {absl::StrCat("OPTIONS * HTTP/1.1\r\n", host, "\r\n"), "405"},
      {absl::StrCat("TRACE / HTTP/1.1\r\n", host, "\r\n"), "405"},
      {absl::StrCat("BREW / HTTP/1.1\r\n", host, "\r\n"), "405"},
      // Not one byte of it is waited for.
      {absl::StrCat("POST / HTTP/1.1\r\n", host,
                    "Content-Length: 9999999999\r\n\r\n"),
       "405"},
      {absl::StrCat("GET / HTTP/1.1\r\n", host,
                    "Content-Length: 9999999999\r\n\r\n"),
       "400"},
      {absl::StrCat("GET / HTTP/1.1\r\n", host,
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
       "400"},
      {"GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n", "421"},
      {"GET / HTTP/1.1\r\n\r\n", "421"},
      {"GET / HTTP/1.0\r\n\r\n", "421"},
      {absl::StrCat("GET /%zz HTTP/1.1\r\n", host, "\r\n"), "400"},
      {absl::StrCat("GET http://localhost/ HTTP/1.1\r\n", host, "\r\n"), "400"},
      {absl::StrCat("GET /", std::string(3000, 'a'), " HTTP/1.1\r\n", host,
                    "\r\n"),
       "400"},
      {absl::StrCat("GET /", std::string(100'000, 'a'), " HTTP/1.1\r\n", host,
                    "\r\n"),
       "414"},
      {absl::StrCat("GET / HTTP/1.1\r\n", host,
                    "X: ", std::string(100'000, 'a'), "\r\n\r\n"),
       "431"},
  };
  for (const auto& [request, status] : kCases) {
    const std::string answer = Ask(request);
    EXPECT_THAT(answer, StartsWith(absl::StrCat("HTTP/1.1 ", status, " ")))
        << request.substr(0, 100);
    if (status == "405") {
      EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    }
  }
  EXPECT_EQ(answered(), 0) << "the handler sees none of them";
  EXPECT_THAT(Get("/"), HasSubstr("200 OK"));
}

TEST_F(HttpListenerTest, OneConnectionIsForOneRequest) {
  Listen(HttpLimits());
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer = Ask(absl::StrCat(request, request));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(answered(), 1);
}

TEST_F(HttpListenerTest, OneUserHasSoManyConnectionsAndNoMore) {
  HttpLimits limits;
  limits.connections_for_each = 3;
  // None of them is closed for another reason.
  limits.patience = absl::Minutes(10);
  limits.life = absl::Minutes(10);
  Listen(limits);
  std::vector<UniqueFd> open;
  for (int i = 0; i < 8; ++i) open.push_back(Connect());
  while (open.size() > 3) {
    open.erase(std::remove_if(open.begin(), open.end(),
                              [](const UniqueFd& fd) { return !IsQuiet(fd); }),
               open.end());
  }
  EXPECT_EQ(Get("/"), "");
  for (const UniqueFd& fd : open) EXPECT_TRUE(IsQuiet(fd));
  open.pop_back();
  // As soon as the end of that one is noticed.
  while (Get("/").empty()) {
  }
}

TEST_F(HttpListenerTest, ASilentConnectionIsClosed) {
  HttpLimits limits;
  limits.patience = absl::Seconds(1);
  Listen(limits);
  EXPECT_EQ(ReadAll(Connect()), "");
}

TEST_F(HttpListenerTest, AHeadThatComesByteByByteIsNotWaitedFor) {
  HttpLimits limits;
  limits.life = absl::Seconds(1);
  Listen(limits);
  const UniqueFd fd = Connect();
  // No byte comes later than the patience allows.
  Say(fd, "GET / HTTP/1.1\r\nX: ");
  while (IsQuiet(fd)) {
    Say(fd, "a");
    poll(nullptr, 0, 10);
  }
  EXPECT_EQ(answered(), 0);
}

TEST_F(HttpListenerTest, AClientThatDoesNotReadIsLeft) {
  HttpLimits limits;
  limits.life = absl::Seconds(1);
  Listen(limits);
  const UniqueFd fd = Connect();
  Say(fd, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  // The answer does not fit the socket, and what fits is read after its end.
  pollfd ended = {fd.get(), POLLRDHUP, 0};
  ASSERT_EQ(poll(&ended, 1, kPatienceMs), 1);
  EXPECT_LT(ReadAll(fd).size(), 8 << 20);
}

TEST_F(HttpListenerTest, EndsWithConnectionsOpen) {
  Listen(HttpLimits());
  const UniqueFd fd = Connect();
  Say(fd, "GET / HT");
  listener_.reset();
  EXPECT_EQ(ReadAll(fd), "");
}

}  // namespace
}  // namespace hydra
