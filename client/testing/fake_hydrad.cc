// Stands in for hydrad in tests of `hydra run`: `fake_hydrad --config FILE`
// serves a FakeHydraService on the configured socket until SIGTERM. Then it
// writes the files `ended` and, if it was asked to cancel, `cancelled` into the
// state directory. What it does is chosen by $FAKE_HYDRAD:
//   (nothing)  the submitted job completes at once
//   die        it writes a message and exits before it serves
//   fail       the job fails
//   hang       the job runs for ever
//   lame       the job waits for ever, since no worker can start
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>

#include "client/testing/fake_hydra_service.h"
#include "grpcpp/ext/health_check_service_server_builder_option.h"
#include "grpcpp/grpcpp.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

void WriteScript(const std::string& mode, FakeHydraService* service) {
  v1::JobStatus job;
  job.set_job_id("j1");
  job.set_sweep_id("s1");
  job.set_name("fake");
  service->submit_response.set_sweep_id("s1");
  *service->submit_response.add_jobs() = job;
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_phase(v1::JOB_PHASE_TRAIN);
  Take<v1::WatchResponse> take;
  *take.messages.emplace_back().add_jobs() = job;
  if (mode == "lame") {
    v1::WorkerStatus& worker = *take.messages.front().add_workers();
    worker.set_device("cpu:0");
    worker.set_state(v1::WORKER_STATE_RESTARTING);
    worker.set_restarts(3);
    worker.set_reason("cannot start: no libtorch.so");
  }
  if (mode == "hang" || mode == "lame") {
    take.stays_open = true;
    service->watch_takes.push_back(take);
    return;
  }
  job.set_state(mode == "fail" ? v1::JOB_STATE_FAILED
                               : v1::JOB_STATE_COMPLETED);
  job.set_train_loss(1.5);
  *take.messages.emplace_back().add_jobs() = job;
  service->watch_takes.push_back(take);
  *service->results_response.add_jobs() = job;
}

int Main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "--config") return 2;
  const char* const variable = getenv("FAKE_HYDRAD");
  const std::string mode = variable == nullptr ? "" : variable;
  if (mode == "die") {
    std::cerr << "cannot allocate the pool: 8589934592 B wanted" << std::endl;
    return 3;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::ifstream file(argv[2]);
  const auto config = nlohmann::json::parse(file);
  FakeHydraService service;
  WriteScript(mode, &service);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + config["unix_socket"].get<std::string>(),
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  const std::string state_dir = config["state_dir"].get<std::string>();
  if (!service.cancel_requests.empty()) {
    std::ofstream(state_dir + "/cancelled") << "s1";
  }
  std::ofstream(state_dir + "/ended") << "well";
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }
