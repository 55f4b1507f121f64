#ifndef HYDRA_TESTS_E2E_CALL_H_
#define HYDRA_TESTS_E2E_CALL_H_

#include <grpcpp/grpcpp.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {

// The method's answer; the test program ends if there is none in a minute.
template <typename Request, typename Response>
Response Call(v1::HydraService::Stub& stub,
              grpc::Status (v1::HydraService::Stub::*method)(
                  grpc::ClientContext*, const Request&, Response*),
              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(1)));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  CHECK(status.ok()) << Request::descriptor()->name() << ": "
                     << status.error_message();
  return response;
}

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_CALL_H_
