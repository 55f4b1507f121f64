#include "tests/benchmarks/control_path_clients.h"

#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "hydra/v1/hydra.grpc.pb.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "worker/session/attach_client.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

constexpr int kPings = 10'000;
constexpr int kLeastPriority = 19;

wv1::TaskReport DoNothing(const wv1::Task& task, const wv1::JobContext&,
                          TaskControl&) {
  wv1::TaskReport report;
  if (task.kind() == wv1::TASK_KIND_PREPARE) {
    wv1::PreparedSplit& split = *report.mutable_prepare()->add_splits();
    split.set_split(wv1::SPLIT_TRAIN);
    split.set_token_count(1000);
  } else {
    report.mutable_pass()->set_loss_sum(1);
    report.mutable_pass()->set_loss_tokens(1);
  }
  // As a worker's that does something.
  wv1::TaskCost& cost = *report.mutable_cost();
  *cost.mutable_begun() = ToProto(SteadyNow());
  *cost.mutable_wall() = ToProto(absl::Microseconds(1));
  *cost.mutable_compute() = cost.wall();
  *cost.mutable_copy() = cost.wall();
  cost.set_promoted_bytes(1);
  cost.set_demoted_bytes(1);
  cost.set_cached_bytes(1);
  cost.set_peak_bytes(1);
  return report;
}

LatencyRecorder Ping(const std::string& address) {
  auto stub = wv1::WorkerService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  auto stream = stub->Attach(&context);
  wv1::WorkerReport report;
  report.set_session(std::string(60, 's'));
  wv1::DesiredState desired;
  LatencyRecorder latency;
  for (int i = 1; i <= kPings; ++i) {
    report.set_sequence(i);
    const absl::Time start = absl::Now();
    stream->Write(report);
    stream->Read(&desired);
    latency.Add(absl::Now() - start);
  }
  stream->WritesDone();
  (void)stream->Finish();
  return latency;
}

// Reads all that comes until it ends.
void Watch(const std::string& address, std::atomic<int>* open,
           std::atomic<int64_t>* messages) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto stub = v1::HydraService::NewStub(grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  const auto stream = stub->Watch(&context, v1::WatchRequest());
  v1::WatchResponse response;
  CHECK(stream->Read(&response)) << stream->Finish().error_message();
  ++*open;
  while (stream->Read(&response)) ++*messages;
  (void)stream->Finish();
}

}  // namespace

void RunControlWorker(const ControlRun& run, ControlFigures* figures) {
  while (!figures->watches_are_open) absl::SleepFor(absl::Milliseconds(1));
  figures->ping = QuantilesOf(Ping(run.echo_address));
  LogBuffer log({});
  AttachClient::Options options;
  options.daemon = run.worker_address;
  options.session = kControlSession;
  AttachClient client(options, &log);
  const absl::Time start = absl::Now();
  const absl::Status status = client.Run(DoNothing);
  const absl::Duration wall = absl::Now() - start;
  CHECK(status.ok()) << status;
  figures->latency = QuantilesOf(client.control_latency());
  figures->tasks_per_second = kControlTasks / absl::ToDoubleSeconds(wall);
}

void RunControlWatchers(const ControlRun& run, ControlFigures* figures) {
  PCHECK(setpriority(PRIO_PROCESS, 0, kLeastPriority) == 0);
  std::atomic<int> open = 0;
  std::vector<std::thread> watchers;
  for (int i = 0; i < run.watches; ++i) {
    watchers.emplace_back(
        [&] { Watch(run.client_address, &open, &figures->watch_messages); });
  }
  while (open < run.watches) absl::SleepFor(absl::Milliseconds(1));
  figures->watches_are_open = true;
  for (std::thread& watcher : watchers) watcher.join();
}

}  // namespace hydra
