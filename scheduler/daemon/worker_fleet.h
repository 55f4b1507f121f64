#ifndef HYDRA_SCHEDULER_DAEMON_WORKER_FLEET_H_
#define HYDRA_SCHEDULER_DAEMON_WORKER_FLEET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "common/pool/pool_file.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/daemon/supervisor.h"
#include "scheduler/daemon/worker_process.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/service/worker_streams.h"

namespace hydra {

// The worker processes, one for each configured device: starts them, tells the
// core's thread and the streams which process is which worker, and ends them.
// Kill is thread-safe; one thread starts and ends it.
class WorkerFleet {
 public:
  // All of them are borrowed and outlive this.
  struct Parts {
    const config::v1::DaemonConfig* config = nullptr;
    const StateDirectory* directory = nullptr;
    const PoolFile* pool = nullptr;
    // What no job may read.
    const std::vector<std::string>* own_files = nullptr;
    CoreThread* core = nullptr;
    WorkerStreams* streams = nullptr;
  };
  // Starts a process for each device but those of `adopted`, which have one
  // that an earlier daemon started.
  WorkerFleet(const Parts& parts,
              absl::btree_map<WorkerId, ForeignProcess> adopted);

  // The process ends and is started again.
  void Kill(WorkerId worker, absl::string_view reason);

  // From now on a process that ends is not started again. Returns at once.
  void StopRestarting();
  // Returns when no process is left; one that has not ended by itself at
  // `deadline`, in SteadyNow()'s time, is killed.
  void Stop(absl::Time deadline);

 private:
  std::unique_ptr<Supervisor> Start(
      int index, absl::btree_map<WorkerId, ForeignProcess>& adopted) const;
  Supervisor::Process CommandOf(const config::v1::DeviceConfig& device,
                                const std::string& session) const;

  const Parts parts_;
  // By device.
  std::vector<std::unique_ptr<Supervisor>> supervisors_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_WORKER_FLEET_H_
