#ifndef HYDRA_SCHEDULER_SERVICE_CLIENT_SERVER_H_
#define HYDRA_SCHEDULER_SERVICE_CLIENT_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "scheduler/core/caller.h"
#include "scheduler/service/connection_table.h"
#include "scheduler/service/doorkeeper.h"
#include "scheduler/service/guarded_server.h"
#include "scheduler/service/health_reporter.h"
#include "scheduler/service/hydra_service.h"
#include "scheduler/service/stream_table.h"

namespace hydra {

// What clients connect to: the public API, with health and reflection. Health,
// of the server as a whole and of HydraService, is as CanServe() says. One
// thread opens and ends it, in the order in which the functions stand here.
class ClientServer {
 public:
  // As HydraServiceImpl's; who calls is this one's business.
  ClientServer(const HydraServiceImpl::Parts& parts,
               v1::GetServerInfoResponse info);

  // Returns when clients can connect at `sockets`, which listen. Call once.
  //
  // INTERNAL: gRPC cannot make a server.
  absl::Status Open(std::vector<UniqueFd> sockets,
                    const ConnectionLimits& limits);

  // Streams end soon after; none begins any more. Only after Open().
  void EndStreams() {
    health_->Stop();
    service_.Stop();
  }
  // Nobody connects any more. Only after Open().
  void Close() { server_->Close(); }
  // Returns when no call runs any more. Only after Open().
  void Shutdown(absl::Time deadline) { server_->Shutdown(deadline); }

 private:
  // The door is here: no other place makes callers.
  Caller CallerOf(const std::string& grpc_peer) const {
    const Doorkeeper::Peer peer = server_->PeerOf(grpc_peer);
    return {peer.uid, peer.pid, peer.groups};
  }

  const HydraServiceImpl::Parts parts_;
  // The server calls the others, so it ends before them.
  StreamTable reflections_;
  HydraServiceImpl service_;
  // Null before Open().
  std::unique_ptr<GuardedServer> server_;
  // Null before Open(). Ends before the server, which it tells.
  std::unique_ptr<HealthReporter> health_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_CLIENT_SERVER_H_
