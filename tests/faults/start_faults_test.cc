// Programs that cannot start, or start in an odd environment.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kNoLibrary[] =
    "error while loading shared libraries: libtorch_cpu.so";

class StartFaultsTest : public FaultTest {
 protected:
  // A program that a shell runs; it takes the place of an older one at once.
  static std::string Script(const std::string& path, const std::string& text) {
    WriteFile(path + ".new", "#!/bin/sh\n" + text + "\n");
    PCHECK(chmod((path + ".new").c_str(), 0700) == 0);
    fs::rename(path + ".new", path);
    return path;
  }
  static std::string LameWorker() {
    return Script(
        FreshDirectory() + "/worker",
        absl::StrCat("echo 'hydra-worker: ", kNoLibrary, "' >&2; exit 127"));
  }
  // A job file with the paths of files().
  std::string JobFile() const {
    const std::string path = FreshDirectory() + "/job.yaml";
    WriteFile(
        path,
        absl::StrCat("name: small\nmodel: {path: ", files().tiny_model,
                     "}\ndata: {train_files: [", files().train_tokens,
                     "], format: tokens_u16}\n"
                     "train: {max_steps: 3, context_length: 32, learning_rate: "
                     "0.001, per_device_train_batch_size: 4}\n"));
    return path;
  }
};

TEST_F(StartFaultsTest, F51AWorkerThatCannotStart) {
  const std::string worker = LameWorker();
  Cluster::Options options = Options();
  options.settings.push_back("worker_binary=" + worker);
  Cluster cluster(options);
  const std::string job = cluster.Submit(spec());
  v1::JobStatus pending;
  cluster.Await([&] {
    pending = cluster.Job(job).status();
    return absl::StrContains(pending.reason(), kNoLibrary);
  });
  EXPECT_EQ(pending.state(), v1::JOB_STATE_PENDING);
  EXPECT_THAT(pending.reason(), AllOf(HasSubstr("cpu:0"), HasSubstr("127")));
  cluster.Await([&] {
    return absl::StrContains(cluster.Workers()[1].reason(), kNoLibrary);
  });
  // Each pause is longer than the one before.
  const int restarts = cluster.Restarts();
  Script(worker,
         absl::StrCat("exec ", fs::absolute("worker/hydra-worker").string(),
                      " \"$@\""));
  const v1::JobDetail done = cluster.AwaitEnd(job);
  EXPECT_EQ(cluster.Workers()[0].reason(), "");
  EXPECT_LE(cluster.Restarts(), restarts + 4);
  Row("F51", "a worker program that ends with 127 at once",
      absl::StrCat("\"", pending.reason(), "\", until it is mended"),
      std::nullopt, ExpectExact(done));
}

TEST_F(StartFaultsTest, F51ARunWithoutAWorkerEnds) {
  const std::string directory = FreshDirectory();
  WriteFile(directory + "/hydrad.yaml", "worker_binary: " + LameWorker());
  const ProgramResult run =
      RunProgram({"client/hydra", "run", JobFile(), "--config",
                  directory + "/hydrad.yaml", "--hydrad", "scheduler/hydrad",
                  "--device=cpu:0", "--device-memory=64MiB",
                  "--pool-size=64MiB", "--state-dir", directory + "/state"});
  EXPECT_EQ(run.code, 5) << run.output;
  EXPECT_THAT(run.output, HasSubstr(kNoLibrary));
  EXPECT_THAT(run.output, HasSubstr("hydrad.log"));
}

TEST_F(StartFaultsTest, F55DevicesLargerThanTheMachineAreRefused) {
  const std::string directory = FreshDirectory();
  const ProgramResult refused = RunProgram(
      {"scheduler/hydrad", "--device=cpu:0=64MiB", "--device=cpu:1=900TiB",
       "--set=state_dir=" + directory + "/state",
       "--set=pool.path=" + directory + "/pool",
       "--set=pool.size_bytes=64MiB"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("2 CPU devices"), HasSubstr("this machine has")));
  EXPECT_FALSE(fs::exists(directory + "/pool"));
}

TEST_F(StartFaultsTest, F56EveryGpuWhereThereIsNoneIsRefused) {
  const std::string directory = FreshDirectory();
  const ProgramResult refused = RunProgram(
      {"/usr/bin/env", "CUDA_VISIBLE_DEVICES=", "scheduler/hydrad",
       "--device=cuda:all=64MiB", "--set=state_dir=" + directory + "/state",
       "--set=pool.path=" + directory + "/pool",
       "--set=pool.size_bytes=64MiB"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output,
              HasSubstr("cuda:all stands for every GPU, and there is none: "));
  EXPECT_FALSE(fs::exists(directory + "/pool"));
}

TEST_F(StartFaultsTest, F56EveryGpuIsADevice) {
  Cluster::Options options;
  options.devices = {"cuda:all=64MiB"};
  options.environment = {
      "LD_LIBRARY_PATH=" + fs::absolute("common/nvml/testing").string(),
      "CUDA_VISIBLE_DEVICES=1,0", "HYDRA_FAKE_GPUS=2"};
  Cluster cluster(options);
  const std::vector<v1::WorkerStatus> workers = cluster.Workers();
  ASSERT_EQ(workers.size(), 2);
  for (int i : {0, 1}) {
    EXPECT_EQ(workers[i].device(), absl::StrCat("cuda:", i));
    EXPECT_EQ(workers[i].memory_limit_bytes(), 64 << 20);
  }
}

// A hydrad that a shell starts, in the environment that `before` makes.
class ShellStartedDaemon {
 public:
  explicit ShellStartedDaemon(const std::string& before,
                              const std::string& redirections = "")
      : directory_(FreshDirectory()) {
    const std::string hydrad = absl::StrCat(
        fs::absolute("scheduler/hydrad").string(), " --device=cpu:0=64MiB",
        " --set=pool.size_bytes=64MiB --set=pool.path=", directory_, "/pool",
        " --set=state_dir=", directory_, "/state --set=worker_binary=",
        fs::absolute("worker/hydra-worker").string());
    pid_ = StartProgram({"/bin/sh", "-c",
                         absl::StrCat("cd ", directory_, "; ", before, " exec ",
                                      hydrad, redirections)},
                        directory_ + "/log");
  }

  pid_t pid() const { return pid_; }
  std::string log() const { return ReadFile(directory_ + "/log"); }
  void Signal(int signal) const { PCHECK(kill(pid_, signal) == 0); }
  int AwaitEnd() const { return AwaitProgram(pid_, absl::Minutes(1)); }
  bool HasPool() const { return fs::exists(directory_ + "/pool"); }

  // When its log says so.
  void AwaitLog(const std::string& text) const {
    const absl::Time deadline = absl::Now() + absl::Minutes(2);
    while (!absl::StrContains(log(), text)) {
      CHECK(absl::Now() < deadline) << log();
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

  // When the worker has called.
  void AwaitReady() const {
    const absl::Time deadline = absl::Now() + absl::Minutes(2);
    while (true) {
      const auto stub = ConnectTo("unix:" + directory_ + "/state/hydrad.sock");
      grpc::ClientContext context;
      v1::ListWorkersResponse response;
      if (stub->ListWorkers(&context, {}, &response).ok() &&
          response.workers(0).state() == v1::WORKER_STATE_READY) {
        return;
      }
      CHECK(absl::Now() < deadline) << log();
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

 private:
  const std::string directory_;
  pid_t pid_ = 0;
};

TEST_F(StartFaultsTest, F53EachSignalThatEndsHydradSavesFirst) {
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) {
    const ShellStartedDaemon daemon("");
    daemon.AwaitReady();
    daemon.Signal(signal);
    EXPECT_EQ(daemon.AwaitEnd(), 0);
    EXPECT_THAT(daemon.log(),
                HasSubstr(absl::StrCat("ending on ", strsignal(signal))));
    EXPECT_FALSE(daemon.HasPool());
  }
}

TEST_F(StartFaultsTest, F53WithAConfigurationAHangupReadsItAgain) {
  const ShellStartedDaemon daemon("printf 'private_jobs: true\\n' >config;",
                                  " --config config");
  daemon.AwaitReady();
  const std::string config =
      absl::StrCat("/proc/", daemon.pid(), "/cwd/config");
  const auto reload = [&](const std::string& text) {
    std::ofstream(config) << text;
    daemon.Signal(SIGHUP);
  };
  reload("quotas: {each_user: {queued_jobs: 1}}\n");
  daemon.AwaitLog("took config\n");
  reload("lookahead: 2\nquotas: {each_user: {queued_jobs: 1}}\n");
  daemon.AwaitLog("took config; a restart is needed for lookahead\n");
  reload("operators: [group no-such-group]\n");
  daemon.AwaitLog("the configuration stays as it was, since config cannot be");
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.AwaitEnd(), 0);
}

TEST_F(StartFaultsTest, F53ASignalThatWasIgnoredStaysIgnored) {
  const ShellStartedDaemon daemon("trap '' HUP INT;");
  daemon.AwaitReady();
  daemon.Signal(SIGHUP);
  daemon.Signal(SIGINT);
  daemon.Signal(SIGPIPE);
  daemon.Signal(SIGXFSZ);
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.AwaitEnd(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("ending on Terminated"));
}

TEST_F(StartFaultsTest, F54ClosedStandardStreamsBecomeNoOthersFile) {
  const ShellStartedDaemon daemon("", " <&- >&- 2>&-");
  daemon.AwaitReady();
  for (int fd : {0, 1, 2}) {
    EXPECT_EQ(
        fs::read_symlink(absl::StrCat("/proc/", daemon.pid(), "/fd/", fd)),
        "/dev/null");
  }
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.AwaitEnd(), 0);
}

TEST_F(StartFaultsTest, F54ALimitOnTheSizeOfFilesIsAMessage) {
  // Of 512 bytes each: room for the journal, and not for the pool.
  const ShellStartedDaemon daemon("ulimit -f 4000;");
  EXPECT_EQ(daemon.AwaitEnd(), 3);
  EXPECT_THAT(daemon.log(),
              AllOf(HasSubstr("/pool"), HasSubstr("File too large")));
}

TEST_F(StartFaultsTest, F54AnOddEnvironmentIsNoObstacle) {
  const ShellStartedDaemon daemon(
      "unset HOME; export TMPDIR=/no/such LC_ALL=xx_YY.nope; mkdir gone; cd "
      "gone; rmdir ../gone; ulimit -n 256;");
  daemon.AwaitReady();
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.AwaitEnd(), 0) << daemon.log();
}

}  // namespace
}  // namespace hydra
