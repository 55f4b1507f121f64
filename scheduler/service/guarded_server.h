#ifndef HYDRA_SCHEDULER_SERVICE_GUARDED_SERVER_H_
#define HYDRA_SCHEDULER_SERVICE_GUARDED_SERVER_H_

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "scheduler/service/connection_table.h"
#include "scheduler/service/doorkeeper.h"

namespace hydra {

// A gRPC server that a doorkeeper lets connections into, and that notices
// within 20 s that whoever is behind one is gone. One thread opens and ends it;
// PeerOf is thread-safe.
class GuardedServer {
 public:
  // `builder` has the services, which must outlive this, and what is special
  // about them. `sockets` listen and do not block. `may_enter`: whom to let in
  // at all. Nobody is before Open().
  //
  // INTERNAL: gRPC cannot make a server.
  static absl::StatusOr<std::unique_ptr<GuardedServer>> Make(
      grpc::ServerBuilder& builder, std::vector<UniqueFd> sockets,
      const ConnectionLimits& limits,
      std::function<bool(const Doorkeeper::Peer&)> may_enter);

  // Call once.
  void Open() { door_.Start(); }
  // Nobody is let in any more; who is in stays. May be called again.
  void Close() { door_.Stop(); }
  // Returns when no service is called any more; breaks off what still runs at
  // `deadline`.
  void Shutdown(absl::Time deadline);

  // Who made a call, by its context's peer().
  Doorkeeper::Peer PeerOf(const std::string& grpc_peer) const {
    return door_.PeerOf(grpc_peer);
  }
  grpc::Server& server() { return *server_; }

 private:
  GuardedServer(std::unique_ptr<grpc::Server> server,
                std::vector<UniqueFd> sockets, const ConnectionLimits& limits,
                std::function<bool(const Doorkeeper::Peer&)> may_enter);

  // The door brings connections to the server, so it ends first.
  const std::unique_ptr<grpc::Server> server_;
  Doorkeeper door_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_GUARDED_SERVER_H_
