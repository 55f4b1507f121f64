#ifndef HYDRA_CLIENT_TESTING_FAKE_SERVER_H_
#define HYDRA_CLIENT_TESTING_FAKE_SERVER_H_

#include <memory>
#include <string>

#include "client/testing/fake_hydra_service.h"
#include "common/file/scratch_directory.h"
#include "grpcpp/server.h"

namespace hydra {

// Serves a FakeHydraService on a unix socket while it lives and is not stopped.
class FakeServer {
 public:
  FakeServer();
  ~FakeServer();

  // Ends every call, and returns when nobody listens any more.
  void Stop();
  // Serves again, at the same address and with the same service.
  void Start();

  // "unix:/..."
  std::string address() const;
  FakeHydraService& service() { return service_; }

 private:
  ScratchDirectory directory_;
  FakeHydraService service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_TESTING_FAKE_SERVER_H_
