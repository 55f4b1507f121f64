#include "client/connection/connection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/connection/address.h"
#include "common/status/rpc_status.h"
#include "client/render/format.h"
#include "common/clock/steady_time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace hydra {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Loopback and unix sockets never go through a proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Lists of thousands of jobs exceed the default of 4 MiB.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(
      GrpcTarget(address), grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Connection::Connection(std::string address, absl::Duration timeout)
    : address_(std::move(address)),
      timeout_(timeout),
      channel_(MakeChannel(address_)),
      stub_(v1::HydraService::NewStub(channel_)) {}

void Connection::AwaitServer(absl::Duration patience,
                             const Interrupt* interrupt) const {
  // So often the interrupt is looked at.
  constexpr absl::Duration kSlice = absl::Milliseconds(50);
  const absl::Time deadline = SteadyNow() + patience;
  while (!interrupt->triggered()) {
    const absl::Duration left = deadline - SteadyNow();
    if (left <= absl::ZeroDuration()) return;
    // gRPC takes a time of the wall clock, and waits by the monotonic one.
    const absl::Time until = absl::Now() + std::min(left, kSlice);
    if (channel_->WaitForConnected(absl::ToChronoTime(until))) return;
  }
}

absl::Status Connection::Explain(const grpc::Status& status) const {
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::DeadlineExceededError(
          absl::StrCat("server ", address_, " did not answer within ",
                       DurationText(timeout_), " (see --timeout)"));
    case grpc::StatusCode::UNAVAILABLE:
      return absl::UnavailableError(
          absl::StrCat("server ", address_, ": ", status.error_message()));
    default:
      return FromGrpc(status);
  }
}

}  // namespace hydra
