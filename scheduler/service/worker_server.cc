#include "scheduler/service/worker_server.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "common/protocol/message_size.h"

namespace hydra {

WorkerServer::WorkerServer(CoreThread* core)
    : streams_(core, [this](const std::string& peer) {
        return server_->PeerOf(peer).pid;
      }) {}

absl::Status WorkerServer::Open(UniqueFd socket,
                                const ConnectionLimits& limits) {
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxWorkerMessageBytes);
  builder.RegisterService(&streams_);
  std::vector<UniqueFd> sockets;
  sockets.push_back(std::move(socket));
  auto server =
      GuardedServer::Make(builder, std::move(sockets), limits,
                          [own = geteuid()](const Doorkeeper::Peer& peer) {
                            return peer.uid == own;
                          });
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  server_->Open();
  return absl::OkStatus();
}

}  // namespace hydra
