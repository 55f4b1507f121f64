#include "scheduler/service/client_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "scheduler/service/reflection_limit.h"

namespace hydra {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;
// More than calls and streams can be open that take one: these, and those of
// hydra_service.cc.
constexpr int kMaxThreads = 400;
constexpr StreamLimits kReflections = {16, 4};

}  // namespace

ClientServer::ClientServer(const HydraServiceImpl::Parts& parts,
                           v1::GetServerInfoResponse info)
    : parts_(parts),
      reflections_("reflection streams", kReflections),
      service_(
          parts, [this](const std::string& peer) { return CallerOf(peer); },
          std::move(info)) {}

absl::Status ClientServer::Open(std::vector<UniqueFd> sockets,
                                const ConnectionLimits& limits) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(std::make_unique<ReflectionLimit>(
      &reflections_,
      [this](const std::string& peer) { return CallerOf(peer); }));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(&service_);
  builder.SetResourceQuota(
      grpc::ResourceQuota("clients").SetMaxThreads(kMaxThreads));
  // Who may not use it is told so by each call.
  auto server =
      GuardedServer::Make(builder, std::move(sockets), limits,
                          [](const Doorkeeper::Peer&) { return true; });
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  grpc::HealthCheckServiceInterface* const health =
      server_->server().GetHealthCheckService();
  health->SetServingStatus(v1::HydraService::service_full_name(), false);
  health_ = std::make_unique<HealthReporter>(
      [this] {
        return CanServe(parts_.journal->health(), parts_.core->trouble(),
                        *parts_.model->workers().statuses);
      },
      [health](bool serving) { health->SetServingStatus(serving); });
  server_->Open();
  return absl::OkStatus();
}

}  // namespace hydra
