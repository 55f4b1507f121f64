#ifndef HYDRA_TESTS_E2E_CLUSTER_H_
#define HYDRA_TESTS_E2E_CLUSTER_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {

// A connection of its own, for answers of any size.
std::unique_ptr<hydra::v1::HydraService::Stub> ConnectTo(
    const std::string& address);

// A real hydrad with its workers, in a fresh directory, for one test. What does
// not work, or not in time, ends the test program with a message; the daemon
// ends with it. Not thread-safe: another thread needs a ConnectTo(address()).
class Cluster {
 public:
  struct Options {
    // As hydrad's --device.
    std::vector<std::string> devices = {"cpu:0=64MiB"};
    // As hydrad's --set.
    std::vector<std::string> settings = {"pool.size_bytes=256MiB"};
    // Beside this process's: "NAME=value".
    std::vector<std::string> environment;
    // Its pool is a file in its directory. False: the settings or hydrad's
    // default say where it is.
    bool has_own_pool = true;
  };

  // Returns when the daemon serves.
  explicit Cluster(const Options& options);
  // Ends the daemon with SIGTERM, and checks that it ended well.
  ~Cluster();

  // kill -9 of the daemon; its workers live on.
  void KillDaemon();
  // Its own pool is gone, as after a restart of the machine. No daemon runs.
  void LosePool() const;
  // SIGTERM; returns when it has ended, and checks that it ended well.
  void StopDaemon();
  // Starts it again on what it left, with `options`; returns when it serves.
  void StartDaemon(const Options& options);
  // As it was started the last time.
  void StartDaemon() { StartDaemon(options_); }
  // 0: none runs.
  pid_t daemon_pid() const { return pid_; }
  std::string log_path() const { return directory_ + "/hydrad.log"; }

  hydra::v1::HydraService::Stub& stub() { return *stub_; }
  // "unix:/..."
  std::string address() const;
  const std::string& directory() const { return directory_; }
  std::string state_dir() const { return directory_ + "/state"; }

  std::vector<hydra::v1::WorkerStatus> Workers();
  // Of all workers together.
  int Restarts();
  // Of all workers, once all are ready.
  std::vector<pid_t> WorkerPids();
  hydra::v1::JobDetail Job(const std::string& id);
  // Of all sweeps, if none is named.
  std::vector<hydra::v1::JobStatus> List(const std::string& sweep_id = "");
  hydra::v1::GetServerInfoResponse Info();
  // Bytes of the pool that are still used when nothing gives any back any more;
  // once all jobs have ended, that is what leaked.
  int64_t AwaitEmptyPool();
  // How many lines of the daemon's log hold `text`.
  int64_t LogLinesWith(absl::string_view text) const;

  // The ids of the submitted jobs.
  std::vector<std::string> Submit(const hydra::v1::SubmitRequest& request);
  // One job; its id.
  std::string Submit(const hydra::v1::JobSpec& spec);
  // Calls until `done` is true; fails the test program after minutes.
  void Await(const std::function<bool()>& done);
  // Fails the test program as soon as the job has ended otherwise.
  void AwaitJob(const std::string& job_id,
                const std::function<bool(const hydra::v1::JobDetail&)>& done);
  void AwaitStep(const std::string& job_id, int64_t step);
  hydra::v1::JobDetail AwaitEnd(const std::string& job_id);
  // One job, from submission to its end.
  hydra::v1::JobDetail Run(const hydra::v1::JobSpec& spec);

 private:
  Options options_;
  std::string directory_;
  pid_t pid_ = 0;
  std::unique_ptr<hydra::v1::HydraService::Stub> stub_;
};

// Two devices of 64 MiB.
Cluster::Options TwoDevices();

// A directory of its own for this process, removed at its end.
std::string FreshDirectory();

// Starts a program that writes both streams behind what `output_path` holds.
// SIGTERM ends it when the calling thread ends. `environment` is beside this
// process's.
pid_t StartProgram(const std::vector<std::string>& arguments,
                   const std::string& output_path,
                   const std::vector<std::string>& environment = {});
// Its exit code, or 128 and the signal's number; fails the test program if it
// has not ended in time.
int AwaitProgram(pid_t pid, absl::Duration patience = absl::Minutes(10));
// Runs a program to its end: its exit code, and what it printed on both
// streams.
struct ProgramResult {
  int code = 0;
  std::string output;
};
ProgramResult RunProgram(const std::vector<std::string>& arguments);

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_CLUSTER_H_
