#ifndef HYDRA_CLIENT_PAGE_PAGE_FORWARDER_H_
#define HYDRA_CLIENT_PAGE_PAGE_FORWARDER_H_

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file.h"

namespace hydra {

// Brings a browser to a server of HTTP that listens on a unix socket: listens
// on a port of 127.0.0.1, and takes each request whose path begins with a
// secret there without it. Whoever does not know the secret is answered 404,
// and the server hears nothing of it: every account of the machine reaches the
// port.
//
// A connection is for one request; what comes after its head is not sent on.
// Requests are served by threads of its own from Listen() to the end of the
// object. Thread-safe.
class PageForwarder {
 public:
  // `port` 0: one that is free.
  //
  // PERMISSION_DENIED: the socket at `socket_path` is not for this user; with
  //   whom it is for. UNAVAILABLE: nobody listens there.
  // Others: what the system said of listening.
  static absl::StatusOr<std::unique_ptr<PageForwarder>> Listen(
      const std::string& socket_path, int port);

  // Ends what is under way.
  ~PageForwarder();

  // What to open in a browser; it has the secret.
  std::string url() const;

 private:
  struct Visit {
    UniqueFd browser;
    std::thread thread;
    // It showed the secret.
    std::atomic<bool> is_known = false;
    std::atomic<bool> ended = false;
  };

  PageForwarder(std::string socket_path, UniqueFd listener, UniqueFd stop,
                int port);

  void AcceptUntilStopped();
  // Ends the oldest visit that has not shown the secret, so that who does not
  // know it keeps nobody away. False: all have.
  bool MakeRoom();
  // Answers one connection.
  void Serve(Visit& visit) const;
  absl::StatusOr<std::string> ReadHead(const UniqueFd& browser) const;
  // False: it stops, or nothing happens for too long.
  bool Await(const UniqueFd& fd, short events) const;
  bool SendAll(const UniqueFd& fd, const std::string& bytes) const;

  const std::string socket_path_;
  const std::string secret_;
  const int port_;
  const UniqueFd listener_;
  // An eventfd.
  const UniqueFd stop_;
  // The acceptor's.
  std::list<Visit> visits_;
  std::thread acceptor_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_PAGE_PAGE_FORWARDER_H_
