#include "scheduler/service/guarded_server.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"

namespace hydra {
namespace {

// A connection without a call; a client that has a call to make connects again.
constexpr int kIdleMs = 10 * 60 * 1000;

// Pings find clients and workers that are gone without a word, so that their
// streams end within 20 s. They may ping as often themselves.
void KeepAlive(grpc::ServerBuilder& builder) {
  constexpr int kPingMs = 10'000;
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingMs);
  // Connections without a call cost memory too.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // 0: a stream that is quiet for long is pinged nevertheless.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingMs);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GuardedServer>> GuardedServer::Make(
    grpc::ServerBuilder& builder, std::vector<UniqueFd> sockets,
    const ConnectionLimits& limits,
    std::function<bool(const Doorkeeper::Peer&)> may_enter) {
  KeepAlive(builder);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::InternalError("gRPC cannot make a server");
  }
  return absl::WrapUnique(new GuardedServer(
      std::move(server), std::move(sockets), limits, std::move(may_enter)));
}

GuardedServer::GuardedServer(
    std::unique_ptr<grpc::Server> server, std::vector<UniqueFd> sockets,
    const ConnectionLimits& limits,
    std::function<bool(const Doorkeeper::Peer&)> may_enter)
    : server_(std::move(server)),
      door_(std::move(sockets), server_.get(), limits, std::move(may_enter)) {}

void GuardedServer::Shutdown(absl::Time deadline) {
  server_->Shutdown(absl::ToChronoTime(deadline));
}

}  // namespace hydra
