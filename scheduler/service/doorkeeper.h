#ifndef HYDRA_SCHEDULER_SERVICE_DOORKEEPER_H_
#define HYDRA_SCHEDULER_SERVICE_DOORKEEPER_H_

#include <grpcpp/server.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file/file.h"
#include "scheduler/service/connection_table.h"

namespace hydra {

// Accepts the connections of a gRPC server that listens on nothing itself, on a
// thread of its own: it knows who comes, bounds how many, and goes on when the
// process had no descriptors left, after which gRPC would never accept again.
// Who is refused sees the connection closed. Thread-safe.
class Doorkeeper {
 public:
  using Peer = ConnectionTable::Peer;

  // `sockets` listen and do not block. `may_enter`: whom to let in at all.
  // `server` must outlive this.
  Doorkeeper(std::vector<UniqueFd> sockets, grpc::Server* server,
             const ConnectionLimits& limits,
             std::function<bool(const Peer&)> may_enter);
  // Stops it.
  ~Doorkeeper();

  // From now on clients are served. Call once.
  void Start();
  // Nobody is accepted any more; who is in stays. May be called again.
  void Stop();

  // Who made a call, by the context's peer(). Unknown if it is none of its.
  Peer PeerOf(const std::string& grpc_peer) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop();
  // False: there are no descriptors left.
  bool AcceptAll(const UniqueFd& socket);
  void LetIn(UniqueFd connection);

  const std::vector<UniqueFd> sockets_;
  grpc::Server* const server_;
  const std::function<bool(const Peer&)> may_enter_;
  // An eventfd.
  const UniqueFd stop_;
  mutable absl::Mutex mu_;
  ConnectionTable table_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_DOORKEEPER_H_
