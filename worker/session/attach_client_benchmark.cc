// The control path against an in-process daemon over a unix socket: how long a
// report that a task ended takes to bring the next task.

#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "common/clock/steady_time.h"
#include "worker/session/attach_client.h"
#include "worker/session/testing/fake_daemon.h"

int main() {
  constexpr int64_t kTasks = 20000;
  hydra::FakeDaemon::Options daemon_options;
  daemon_options.socket =
      "/tmp/hydra_attach_benchmark." + std::to_string(getpid());
  daemon_options.task_count = kTasks;
  hydra::FakeDaemon daemon(daemon_options);

  hydra::LogBuffer log({});
  hydra::AttachClient::Options options;
  options.daemon = daemon.address();
  options.session = daemon_options.session;
  hydra::AttachClient client(options, &log);
  std::thread stopper([&] {
    daemon.AwaitRecorded(kTasks);
    daemon.Stop();
  });
  const absl::Time start = hydra::SteadyNow();
  const absl::Status status =
      client.Run([](const hydra::worker::v1::Task&,
                    const hydra::worker::v1::JobContext&, hydra::TaskControl&) {
        hydra::worker::v1::TaskReport report;
        report.mutable_pass();
        return report;
      });
  const absl::Duration wall = hydra::SteadyNow() - start;
  stopper.join();
  const hydra::LatencyRecorder latency = client.control_latency();
  std::printf("%.0f tasks/s; %ld answers: p50 %.1f us, p99 %.1f us\n",
              kTasks / absl::ToDoubleSeconds(wall),
              static_cast<long>(latency.count()),
              absl::ToDoubleMicroseconds(latency.Quantile(0.5)),
              absl::ToDoubleMicroseconds(latency.Quantile(0.99)));
  return status.ok() ? 0 : 1;
}
