#ifndef HYDRA_TESTS_E2E_CLUSTER_H_
#define HYDRA_TESTS_E2E_CLUSTER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {

// A real hydrad with its workers, in a fresh directory, for one test. What does
// not work ends the test program with a message. Not thread-safe.
class Cluster {
 public:
  struct Options {
    // As hydrad's --device.
    std::vector<std::string> devices = {"cpu:0=64MiB"};
    // As hydrad's --set.
    std::vector<std::string> settings = {"pool.size_bytes=256MiB"};
    // Beside this process's: "NAME=value".
    std::vector<std::string> environment;
  };

  // Returns when the daemon serves.
  explicit Cluster(const Options& options);
  // Ends the daemon with SIGTERM, and checks that it ended well.
  ~Cluster();

  // kill -9 of the daemon; its workers live on.
  void KillDaemon();
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
  hydra::v1::JobDetail Job(const std::string& id);
  // The ids of the submitted jobs.
  std::vector<std::string> Submit(const hydra::v1::SubmitRequest& request);
  // Calls until `done` is true; fails the test program after minutes.
  void Await(const std::function<bool()>& done);
  hydra::v1::JobDetail AwaitEnd(const std::string& job_id);
  // One job, from submission to its end.
  hydra::v1::JobDetail Run(const hydra::v1::JobSpec& spec);

 private:
  Options options_;
  std::string directory_;
  pid_t pid_ = 0;
  std::unique_ptr<hydra::v1::HydraService::Stub> stub_;
};

// A directory of its own for this process, removed at its end.
std::string FreshDirectory();
std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& bytes);
// Runs a program to its end: its exit code, and what it printed on both
// streams.
struct ProgramResult {
  int code = 0;
  std::string output;
};
ProgramResult RunProgram(const std::vector<std::string>& arguments);

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_CLUSTER_H_
