#include "scheduler/daemon/worker_fleet.h"

#include <sys/types.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "common/device/device_name.h"
#include "common/pool/instance_id.h"
#include "glog/logging.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/daemon/device_environment.h"

namespace hydra {
WorkerFleet::WorkerFleet(const Parts& parts,
                         absl::btree_map<WorkerId, ForeignProcess> adopted)
    : parts_(parts) {
  for (int i = 0; i < parts_.config->devices_size(); ++i) {
    supervisors_.push_back(Start(i, adopted));
  }
}

std::unique_ptr<Supervisor> WorkerFleet::Start(
    int index, absl::btree_map<WorkerId, ForeignProcess>& adopted) const {
  const WorkerId id(index + 1);
  const config::v1::DeviceConfig& device = parts_.config->devices(index);
  // Only the supervisor's thread uses it.
  auto session = std::make_shared<std::string>();
  Supervisor::Callbacks callbacks;
  callbacks.next = [this, id, &device, session] {
    *session = InstanceId::Random().ToHex();
    parts_.streams->Expect(id, *session);
    return CommandOf(device, *session);
  };
  callbacks.started = [this, id, &device, session](pid_t pid) {
    parts_.streams->Started(id, pid);
    LOG(INFO) << "worker " << device.name() << " started as process " << pid;
    journal::v1::WorkerProcess process;
    process.set_pid(pid);
    process.set_start_time(StartTimeOf(pid).value_or(0));
    process.set_session(*session);
    parts_.core->Post([id, process](Core& core, absl::Time) {
      core.WorkerStarted(id, process);
    });
  };
  callbacks.died = [this, id, &device](const std::string& how) {
    LOG(INFO) << "worker " << device.name() << " " << how;
    parts_.core->Post([id, how](Core& core, absl::Time now) {
      core.WorkerDied(id, how, now);
    });
  };
  const auto own = adopted.find(id);
  return own == adopted.end()
             ? std::make_unique<Supervisor>(std::move(callbacks))
             : std::make_unique<Supervisor>(std::move(callbacks),
                                            std::move(own->second));
}

Supervisor::Process WorkerFleet::CommandOf(
    const config::v1::DeviceConfig& device, const std::string& session) const {
  Supervisor::Process process;
  process.arguments = {
      parts_.config->worker_binary(),
      "--daemon=unix:" + parts_.directory->worker_socket(),
      "--device=" + device.name(),
      absl::StrCat("--memory-limit-bytes=", device.memory_limit_bytes()),
      absl::StrCat("--threads=", device.threads()),
      "--pool-path=" + parts_.pool->path(),
      "--pool-instance=" + parts_.pool->instance_id().ToHex(),
      "--log-dir=" + parts_.directory->logs(),
      absl::StrCat("--patience-seconds=",
                   parts_.config->worker_patience_seconds()),
      "--private-but-linkable=" + parts_.directory->outputs()};
  if (device.has_link()) {
    const config::v1::LinkConfig& link = device.link();
    process.arguments.push_back(
        absl::StrCat("--link=", link.to_device_gb_per_second() * 1e9, ",",
                     link.to_host_gb_per_second() * 1e9,
                     link.shared_bus() ? ",shared" : ""));
  }
  if (parts_.config->allow_exported_chains()) {
    process.arguments.push_back("--allow-exported-chains");
  }
  if (!parts_.config->file_broker().empty()) {
    process.arguments.push_back("--file-broker=" +
                                parts_.config->file_broker());
  }
  for (const std::string& file : *parts_.own_files) {
    process.arguments.push_back("--private=" + file);
  }
  process.environment = {"HYDRA_WORKER_SESSION=" + session};
  // The configuration was checked.
  for (std::string& variable : DeviceEnvironment(
           DeviceName::Parse(device.name()).value(), OwnVariable)) {
    process.environment.push_back(std::move(variable));
  }
  return process;
}

void WorkerFleet::Kill(WorkerId worker, absl::string_view reason) {
  supervisors_[worker.value() - 1]->Kill(reason);
}

void WorkerFleet::StopRestarting() {
  for (auto& supervisor : supervisors_) supervisor->StopRestarting();
}

void WorkerFleet::Stop(absl::Time deadline) {
  for (auto& supervisor : supervisors_) {
    supervisor->Stop(std::max(absl::ZeroDuration(), deadline - SteadyNow()));
  }
}

}  // namespace hydra
