#include "scheduler/service/reflection_limit.h"

#include <grpcpp/server_context.h>

#include <optional>
#include <utility>

#include "absl/strings/match.h"

namespace hydra {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// Lives as long as its call.
class OneStream final : public Interceptor {
 public:
  OneStream(ServerRpcInfo* info, StreamTable* streams,
            const ReflectionLimit::CallerOf& caller_of)
      : info_(info), streams_(streams), caller_of_(caller_of) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      absl::StatusOr<StreamTable::Slot> slot =
          streams_->Open(caller_of_(info_->server_context()->peer()), nullptr);
      if (slot.ok()) {
        slot_.emplace(*std::move(slot));
      } else {
        info_->server_context()->TryCancel();
      }
    }
    methods->Proceed();
  }

 private:
  ServerRpcInfo* const info_;
  StreamTable* const streams_;
  const ReflectionLimit::CallerOf& caller_of_;
  std::optional<StreamTable::Slot> slot_;
};

}  // namespace

ReflectionLimit::ReflectionLimit(StreamTable* streams, CallerOf caller_of)
    : streams_(streams), caller_of_(std::move(caller_of)) {}

Interceptor* ReflectionLimit::CreateServerInterceptor(ServerRpcInfo* info) {
  if (!absl::StartsWith(info->method(), "/grpc.reflection.")) return nullptr;
  return new OneStream(info, streams_, caller_of_);
}

}  // namespace hydra
