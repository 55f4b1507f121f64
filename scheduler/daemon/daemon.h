#ifndef HYDRA_SCHEDULER_DAEMON_DAEMON_H_
#define HYDRA_SCHEDULER_DAEMON_DAEMON_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hydra/config/v1/daemon.pb.h"

namespace hydra {

// A whole hydrad in one object: pool, core, gRPC server, workers.
class Daemon {
 public:
  // `config`: checked and with every default filled in. Returns when clients
  // can connect; workers attach a little later.
  //
  // `config_path`: where the configuration was read from, if anywhere; no job
  // may read it.
  //
  // ALREADY_EXISTS: the pool holds the jobs of another daemon.
  // FAILED_PRECONDITION: another live daemon owns the state directory or the
  //   socket; the address is in use.
  // RESOURCE_EXHAUSTED: the pool does not fit this machine.
  // PERMISSION_DENIED: the state directory cannot be written; others may write
  //   the program that tells people.
  // DATA_LOSS: jobs.db is damaged, or a job of it cannot be understood.
  // Others: what the system said of the pool or of the socket's folder.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(
      const config::v1::DaemonConfig& config,
      const std::string& config_path = "");

  virtual ~Daemon() = default;

  // Takes what a running daemon can take of another configuration
  // (reloaded_config.h), which is checked as the first one was. Streams that
  // are open stay so. The fields of it that only a start takes. Not beside
  // Stop.
  //
  // INVALID_ARGUMENT, UNAVAILABLE: a user or group of it is not there, or
  // nobody
  //   can tell now; all stays as it was.
  virtual absl::StatusOr<std::vector<std::string>> Reload(
      const config::v1::DaemonConfig& config) = 0;

  // Ends serving and the workers, which may take `patience` to finish the tasks
  // they have begun. Removes the pool, unless the next daemon needs it: a job
  // that should be saved is not, or something acknowledged is not in jobs.db.
  // Call once.
  virtual void Stop(absl::Duration patience) = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_DAEMON_H_
