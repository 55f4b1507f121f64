#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_PRIVATE_DAEMON_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_PRIVATE_DAEMON_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/connection/address.h"
#include "client/connection/interrupt.h"
#include "client/private_daemon/child_process.h"
#include "client/private_daemon/daemon_config.h"
#include "client/private_daemon/run_directory.h"
#include "common/file/file.h"

namespace hydra {

// hydrad's program: `flag` if it is not empty, else $HYDRAD, else the file
// `hydrad` beside this program's real path.
//
// NOT_FOUND: there is no such program; says where it was looked for.
absl::StatusOr<std::string> FindHydrad(absl::string_view flag,
                                       const GetEnv& getenv);

// A hydrad of one's own, on a unix socket in a fresh directory that nobody else
// can read. It ends with the object, and when this process dies. Construct it
// in the main thread (see ChildProcess). Not thread-safe.
class PrivateDaemon {
 public:
  struct Options {
    std::string hydrad_path;
    // The text of a configuration file to start from, or empty.
    std::string base_config;
    // Its paths are filled in by Start(), but for state_dir and pool_path,
    // which are absolute. The state directory is made if needed, and has the
    // daemon's log, hydrad.log.
    DaemonOverrides config;
    // Where the fresh directory is made: best on tmpfs, since the pool is in
    // it when the configuration does not say otherwise.
    std::string run_parent = "/dev/shm";
    // Allocating the pool takes most of it.
    absl::Duration ready_timeout = absl::Minutes(2);
    // Between SIGTERM and SIGKILL.
    absl::Duration stop_patience = absl::Seconds(30);
  };

  // Returns when the daemon serves.
  //
  // INVALID_ARGUMENT: `base_config` is not valid.
  // UNAVAILABLE: the daemon ended instead; the message has the end of its log.
  // DEADLINE_EXCEEDED: it did not become ready in time.
  // CANCELLED: `interrupt` was triggered.
  static absl::StatusOr<std::unique_ptr<PrivateDaemon>> Start(
      Options options, Interrupt* interrupt);

  ~PrivateDaemon();

  // "unix:/..."
  std::string address() const;
  const std::string& log_path() const { return log_path_; }

  // Ends the daemon and waits for it. Returns whether it ended by itself.
  bool Stop();

 private:
  PrivateDaemon(Options options, UniqueFd claimed,
                std::unique_ptr<RunDirectory> directory);

  absl::Status WriteConfig();
  absl::Status Launch();
  absl::Status AwaitReady(Interrupt* interrupt);
  std::string LogTail() const;

  Options options_;
  // Keeps other runs out of the state directory.
  const UniqueFd claimed_;
  const std::unique_ptr<RunDirectory> directory_;
  const std::string log_path_;
  // Ends before the directory goes.
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_PRIVATE_DAEMON_H_
