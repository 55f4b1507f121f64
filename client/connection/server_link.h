#ifndef HYDRA_CLIENT_CONNECTION_SERVER_LINK_H_
#define HYDRA_CLIENT_CONNECTION_SERVER_LINK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/connection/interrupt.h"

namespace grpc {
class Channel;
}

namespace hydra {

// The way to one server: a channel that connects by itself, or an ssh that runs
// `hydra proxy` there, which is another one after each break. Thread-safe.
class ServerLink {
 public:
  virtual ~ServerLink() = default;

  // For the next call. Where this starts an ssh: what the system said.
  virtual absl::StatusOr<std::shared_ptr<grpc::Channel>> Channel() = 0;

  // What is known of the way after a call came back with UNAVAILABLE, for which
  // gRPC says `reason`.
  virtual std::string Trouble(absl::string_view reason) = 0;

  // After the server was away, waits until it may be worth to call again, or
  // until `interrupt` is triggered: until the channel is connected, for at most
  // `patience`; between two logins of ssh 1, 2, 4 ... 16 seconds.
  virtual void Await(absl::Duration patience, const Interrupt* interrupt) = 0;
};

// `address` as ResolveServer() makes it.
std::unique_ptr<ServerLink> MakeServerLink(const std::string& address);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_SERVER_LINK_H_
