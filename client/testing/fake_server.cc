#include "client/testing/fake_server.h"

#include "absl/time/clock.h"
#include "glog/logging.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace hydra {

FakeServer::FakeServer() { Start(); }

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
  builder.RegisterService(&service_);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr) << address();
}

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(absl::Now()));
  server_ = nullptr;
}

std::string FakeServer::address() const {
  return "unix:" + directory_.path() + "/hydrad.sock";
}

}  // namespace hydra
