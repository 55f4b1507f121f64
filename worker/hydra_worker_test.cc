// The program as hydrad starts it, against a fake daemon.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pool/instance_id.h"
#include "common/pool/pool_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/session/testing/fake_daemon.h"
#include "worker/session/testing/model_daemon.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

struct Ended {
  int exit_code = -1;
  std::string errors;
};

std::string Contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class HydraWorkerTest : public testing::Test {
 protected:
  // Runfiles are found from here; a socket's name must be short.
  static void SetUpTestSuite() {
    char* const here = getcwd(nullptr, 0);
    program_ = new std::string(absl::StrCat(here, "/worker/hydra-worker"));
    free(here);
    ASSERT_EQ(chdir(testing::TempDir().c_str()), 0);
  }

  void SetUp() override {
    PoolFile::CreateOptions pool;
    pool.path = "pool";
    pool.size_bytes = 1 << 20;
    auto created = PoolFile::Create(pool);
    ASSERT_TRUE(created.ok()) << created.status();
    pool_ = *std::move(created);
    pool_->RemoveOnClose();
    pool_instance_ = pool_->instance_id().ToHex();
  }

  std::unique_ptr<FakeDaemon> StartDaemon(int64_t task_count,
                                          ModelDaemon model = ModelDaemon()) {
    FakeDaemon::Options options;
    options.socket = "daemon.sock";
    options.task_count = task_count;
    return std::make_unique<FakeDaemon>(options, std::move(model));
  }

  // Starts the program with these and the usual flags, and waits for its end.
  Ended RunWorker(const std::string& session,
                  const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        *program_, "--daemon=unix:daemon.sock", "--memory-limit-bytes=1048576",
        "--pool-path=pool", absl::StrCat("--pool-instance=", pool_instance_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string variable = absl::StrCat("HYDRA_WORKER_SESSION=", session);
    char* environment[] = {session.empty() ? nullptr : variable.data(),
                           nullptr};
    const int errors = open("errors", O_CREAT | O_TRUNC | O_WRONLY, 0600);
    EXPECT_GE(errors, 0);
    const pid_t child = fork();
    if (child == 0) {
      // Other threads may hold any lock: system calls only.
      dup2(errors, STDERR_FILENO);
      execve(argv[0], argv.data(), environment);
      _exit(98);
    }
    child_ = child;
    close(errors);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << status << Contents("errors");
    return {WEXITSTATUS(status), Contents("errors")};
  }

  static std::string* program_;
  // The newest program.
  std::atomic<pid_t> child_ = 0;
  std::unique_ptr<PoolFile> pool_;
  std::string pool_instance_;
};

std::string* HydraWorkerTest::program_ = nullptr;

TEST_F(HydraWorkerTest, RunsTasksUntilItIsStoppedAndWritesItsLatency) {
  const auto daemon = StartDaemon(100);
  std::thread stopper([&] {
    daemon->AwaitRecorded(100);
    daemon->Stop();
  });
  const Ended ended =
      RunWorker("secret", {"--control-latency-file=latency.json"});
  EXPECT_EQ(ended.exit_code, 0) << ended.errors;
  stopper.join();
  EXPECT_THAT(Contents("latency.json"), HasSubstr("\"p99_us\":"));
}

TEST_F(HydraWorkerTest, EndsWhenTheDaemonRefusesIt) {
  const auto daemon = StartDaemon(1);
  const Ended ended = RunWorker("guessed", {});
  EXPECT_EQ(ended.exit_code, 4) << ended.errors;
  EXPECT_THAT(ended.errors, HasSubstr("unknown session"));
}

TEST_F(HydraWorkerTest, AsksForASession) {
  const Ended ended = RunWorker("", {});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.errors, HasSubstr("HYDRA_WORKER_SESSION"));
}

TEST_F(HydraWorkerTest, NamesAFlagThatIsWrong) {
  EXPECT_EQ(RunWorker("secret", {"--threads=0"}).exit_code, 2);
  const Ended ended = RunWorker("secret", {"--device=tpu:0"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.errors, HasSubstr("--device is \"tpu:0\""));
  EXPECT_THAT(ended.errors, HasSubstr("cpu:N or cuda:N"));
}

TEST_F(HydraWorkerTest, AGpuHasALinkOfItsOwn) {
  const Ended ended =
      RunWorker("secret", {"--device=cuda:0", "--link=1e9,1e9"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.errors, HasSubstr("--link is for cpu:N"));
}

TEST_F(HydraWorkerTest, RefusesAnotherPool) {
  pool_instance_ = InstanceId().ToHex();
  const Ended ended = RunWorker("secret", {});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.errors, HasSubstr("pool"));
}

TEST_F(HydraWorkerTest, OutlivesItsDaemonAndWorksForTheNextOne) {
  auto daemon = StartDaemon(200);
  std::thread killer([&] {
    daemon->AwaitRecorded(50);
    ModelDaemon model = daemon->Vanish();
    model.Restart();
    daemon = StartDaemon(200, model);
    daemon->AwaitRecorded(200);
    daemon->Stop();
  });
  const Ended ended = RunWorker("secret", {});
  killer.join();
  EXPECT_EQ(ended.exit_code, 0) << ended.errors;
}

TEST_F(HydraWorkerTest, GoesOnWhenToldToEndByAnybodyButItsDaemon) {
  const auto daemon = StartDaemon(200);
  std::thread stopper([&] {
    daemon->AwaitRecorded(50);
    EXPECT_EQ(kill(child_, SIGTERM), 0);
    EXPECT_EQ(kill(child_, SIGINT), 0);
    daemon->AwaitRecorded(200);
    daemon->Stop();
  });
  const Ended ended = RunWorker("secret", {});
  stopper.join();
  EXPECT_EQ(ended.exit_code, 0) << ended.errors;
}

TEST_F(HydraWorkerTest, EndsWhenNoDaemonComesInItsPatience) {
  const Ended ended = RunWorker("secret", {"--patience-seconds=0.1"});
  EXPECT_EQ(ended.exit_code, 5);
  EXPECT_THAT(ended.errors, HasSubstr("no daemon has answered"));
  EXPECT_EQ(RunWorker("secret", {"--patience-seconds=-1"}).exit_code, 2);
}

}  // namespace
}  // namespace hydra
