#ifndef HYDRA_SCHEDULER_SERVICE_REFLECTION_LIMIT_H_
#define HYDRA_SCHEDULER_SERVICE_REFLECTION_LIMIT_H_

#include <grpcpp/support/server_interceptor.h>

#include <functional>
#include <string>

#include "scheduler/core/caller.h"
#include "scheduler/service/stream_table.h"

namespace hydra {

// Bounds how many streams of gRPC's reflection service are open, each of which
// takes a thread of the server: one more is cancelled. Thread-safe.
class ReflectionLimit final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // Who made a call, by its context's peer().
  using CallerOf = std::function<Caller(const std::string&)>;

  // `streams` must outlive the server.
  ReflectionLimit(StreamTable* streams, CallerOf caller_of);

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  StreamTable* const streams_;
  const CallerOf caller_of_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_REFLECTION_LIMIT_H_
