#include "scheduler/service/self_check.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace hydra {
namespace {

std::shared_ptr<grpc::Channel> ChannelTo(const SocketPath& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // It tries again at each check, however often that failed before.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(absl::StrCat("unix:", socket.text()),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SelfCheck>> SelfCheck::Of(
    const std::string& unix_socket) {
  absl::StatusOr<SocketPath> socket = SocketPath::Of(unix_socket);
  if (!socket.ok()) return socket.status();
  return std::unique_ptr<SelfCheck>(new SelfCheck(*std::move(socket)));
}

SelfCheck::SelfCheck(SocketPath socket)
    : socket_(std::move(socket)),
      stub_(v1::HydraService::NewStub(ChannelTo(socket_))) {}

bool SelfCheck::Answers(absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  // Connects first, if need be.
  context.set_wait_for_ready(true);
  v1::GetServerInfoResponse response;
  const grpc::Status status =
      stub_->GetServerInfo(&context, v1::GetServerInfoRequest(), &response);
  return status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED &&
         status.error_code() != grpc::StatusCode::UNAVAILABLE;
}

}  // namespace hydra
