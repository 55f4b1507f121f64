#include "client/page/page_forwarder.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/connection/socket_access.h"
#include "client/page/page_request.h"
#include "common/file/listening_socket.h"
#include "common/file/socket_path.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// More than a browser opens, and as many as the server lets one user have.
constexpr size_t kMostVisits = 16;
constexpr int kPatienceMs = 60'000;
constexpr char kNotFound[] =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nConnection: "
    "close\r\nContent-Length: 48\r\n\r\n"
    "Nothing is here. hydra ui prints what to open.\r\n";
constexpr char kBadGateway[] =
    "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: "
    "close\r\nContent-Length: 25\r\n\r\n"
    "hydrad does not answer.\r\n";

absl::Status System(const std::string& what) {
  return absl::ErrnoToStatus(errno, what);
}

absl::StatusOr<UniqueFd> ConnectTo(const std::string& path) {
  const absl::StatusOr<SocketPath> reachable = SocketPath::Of(path);
  if (!reachable.ok()) return reachable.status();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, reachable->text().c_str(),
               sizeof(address.sun_path) - 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open() ||
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    return System(absl::StrCat("cannot connect to ", Quoted(path)));
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PageForwarder>> PageForwarder::Listen(
    const std::string& socket_path, int port) {
  if (const auto server = ConnectTo(socket_path); !server.ok()) {
    const std::string why = WhyNoAccess(socket_path);
    if (!why.empty()) return absl::PermissionDeniedError(why);
    return absl::UnavailableError(server.status().message());
  }
  absl::StatusOr<std::vector<UniqueFd>> sockets =
      ListenOnTcp(absl::StrCat("127.0.0.1:", port));
  if (!sockets.ok()) return sockets.status();
  UniqueFd fd = std::move(sockets->front());
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) !=
      0) {
    return System("cannot tell the port");
  }
  UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.is_open()) return System("cannot make an eventfd");
  return std::unique_ptr<PageForwarder>(new PageForwarder(
      socket_path, std::move(fd), std::move(stop), ntohs(address.sin_port)));
}

PageForwarder::PageForwarder(std::string socket_path, UniqueFd listener,
                             UniqueFd stop, int port)
    : socket_path_(std::move(socket_path)),
      secret_(MakeSecret()),
      port_(port),
      listener_(std::move(listener)),
      stop_(std::move(stop)),
      acceptor_([this] { AcceptUntilStopped(); }) {}

PageForwarder::~PageForwarder() {
  const uint64_t one = 1;
  // An eventfd takes it at once.
  (void)!write(stop_.get(), &one, sizeof(one));
  acceptor_.join();
  for (Visit& visit : visits_) visit.thread.join();
}

std::string PageForwarder::url() const {
  return absl::StrCat("http://127.0.0.1:", port_, "/", secret_, "/");
}

bool PageForwarder::Await(const UniqueFd& fd, short events) const {
  pollfd both[] = {{fd.get(), events, 0}, {stop_.get(), POLLIN, 0}};
  int ready;
  do {
    ready = poll(both, 2, kPatienceMs);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && both[1].revents == 0;
}

void PageForwarder::AcceptUntilStopped() {
  while (true) {
    pollfd both[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(both, 2, -1) < 0 && errno != EINTR) return;
    if (both[1].revents != 0) return;
    visits_.remove_if([](Visit& visit) {
      if (!visit.ended) return false;
      visit.thread.join();
      return true;
    });
    UniqueFd browser(accept4(listener_.get(), nullptr, nullptr,
                             SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!browser.is_open()) {
      // It may have no descriptors left, and would be asked again at once.
      if (errno != EAGAIN) poll(&both[1], 1, 100);
      continue;
    }
    if (visits_.size() >= kMostVisits && !MakeRoom()) continue;
    Visit& visit = visits_.emplace_back();
    visit.browser = std::move(browser);
    visit.thread = std::thread([this, &visit] {
      Serve(visit);
      // Else the browser would wait until the next one comes.
      shutdown(visit.browser.get(), SHUT_RDWR);
      visit.ended = true;
    });
  }
}

bool PageForwarder::MakeRoom() {
  for (auto visit = visits_.begin(); visit != visits_.end(); ++visit) {
    if (visit->is_known) continue;
    shutdown(visit->browser.get(), SHUT_RDWR);
    visit->thread.join();
    visits_.erase(visit);
    return true;
  }
  return false;
}

absl::StatusOr<std::string> PageForwarder::ReadHead(
    const UniqueFd& browser) const {
  std::string head;
  while (true) {
    if (!Await(browser, POLLIN)) return absl::CancelledError();
    char bytes[4096];
    const ssize_t count = recv(browser.get(), bytes, sizeof(bytes), 0);
    if (count < 0 && errno == EAGAIN) continue;
    if (count <= 0) return absl::CancelledError();
    head.append(bytes, count);
    const size_t end = head.find("\r\n\r\n");
    if (end != head.npos) return head.substr(0, end + 4);
    if (head.size() > kMostHeadBytes) return absl::CancelledError();
  }
}

bool PageForwarder::SendAll(const UniqueFd& fd,
                            const std::string& bytes) const {
  for (size_t sent = 0; sent < bytes.size();) {
    if (!Await(fd, POLLOUT)) return false;
    const ssize_t count =
        send(fd.get(), bytes.data() + sent, bytes.size() - sent,
             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) return false;
    if (count > 0) sent += count;
  }
  return true;
}

void PageForwarder::Serve(Visit& visit) const {
  const UniqueFd& browser = visit.browser;
  const absl::StatusOr<std::string> head = ReadHead(browser);
  if (!head.ok()) return;
  const std::optional<std::string> request = WithoutSecret(*head, secret_);
  if (!request.has_value()) {
    SendAll(browser, kNotFound);
    return;
  }
  visit.is_known = true;
  const absl::StatusOr<UniqueFd> server = ConnectTo(socket_path_);
  if (!server.ok() || !SendAll(*server, *request)) {
    SendAll(browser, kBadGateway);
    return;
  }
  // The server closes the connection after its answer.
  while (Await(*server, POLLIN)) {
    std::string bytes(64 << 10, '\0');
    const ssize_t count =
        recv(server->get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) continue;
    if (count <= 0) return;
    bytes.resize(count);
    if (!SendAll(browser, bytes)) return;
  }
}

}  // namespace hydra
